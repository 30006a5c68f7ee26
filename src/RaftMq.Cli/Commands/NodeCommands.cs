using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq node list|add|drain|remove</c>.</summary>
internal static class NodeCommands
{
    private static readonly TimeSpan RemovedWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(50);

    public static Command Build() => new("node", "Let nodes come and go.") { List(), Add(), Drain(), Remove() };

    private static Command List()
    {
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("list", "Show the nodes of the cluster, those that are expected, and those that left.") { admin, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            await WriteAsync(parsed.InvocationConfiguration.Output, await client.NodesAsync(cancellation), parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(TextWriter output, NodesAnswer nodes, bool json)
    {
        if (json)
        {
            await Json.WriteAsync(output, nodes);
            return;
        }

        Tables.Write(
            output, ["NODE", "STATE", "UP", "CONTROLLER", "REPLICAS", "RACK", "PEERS AT"],
            [
                .. nodes.Nodes.Select(node => (IReadOnlyList<string>)
                [
                    Text(node.Id), node.State ?? "?", node.Alive ? "up" : "down", node.Controller ?? "?", Text(node.Replicas), node.Rack ?? "",
                    string.Join(", ", node.Listeners.Where(at => at.Name == ListenerAnswer.Peers).Select(at => $"{at.Host}:{at.Port}")),
                ]),
                .. nodes.Expected.Select(node => (IReadOnlyList<string>)
                    [Text(node.Id), $"expected until {node.Until.UtcDateTime:yyyy-MM-dd HH:mm} UTC", "", "", "", "", ""]),
                .. nodes.Removed.Select(node => (IReadOnlyList<string>)[Text(node.Id), $"removed, with folder {node.StoreId}", "", "", "", "", ""]),
            ]);
        foreach (string obstacle in nodes.Obstacles ?? [])
        {
            await output.WriteLineAsync(obstacle);
        }
    }

    private static Command Add()
    {
        Argument<int> node = Node("The number of the node that is to come.");
        return Change("add", "Expect a node, for a day: started with an empty folder and cluster.seeds it joins the cluster.", node, [], (client, number, _, ending) =>
            client.ChangeAsync(HttpMethod.Post, $"/v1/nodes/{number}", $"node {number} is not expected", ending),
            (number, _) => $"node {number} is expected: start it with an empty folder and cluster.seeds");
    }

    private static Command Drain()
    {
        Argument<int> node = Node("The number of the node that is to be emptied.");
        var cancel = new Option<bool>("--cancel") { Description = "Let it serve again." };
        return Change("drain", "Take leaders and replicas from a node.", node, [cancel], async (client, number, parsed, ending) =>
            {
                string query = parsed.GetValue(cancel) ? "?cancel=true" : "";
                await client.ChangeAsync(HttpMethod.Post, $"/v1/nodes/{number}/drain{query}", $"node {number} is not drained", ending);
            },
            (number, parsed) => parsed.GetValue(cancel) ? $"node {number} serves" : $"node {number} is being drained: `raftmq node list` shows what is left");
    }

    private static Command Remove()
    {
        Argument<int> node = Node("The number of the node that goes for good.");
        var lost = new Option<bool>("--lost") { Description = "The node is dead and never comes back: what it holds is made anew on others first." };
        return Change("remove", "Take a drained node out of the cluster, its folder with it, for ever; or a node that is expected.", node, [lost],
            async (client, number, parsed, ending) =>
            {
                string query = parsed.GetValue(lost) ? "?lost=true" : "";
                await client.ChangeAsync(HttpMethod.Delete, $"/v1/nodes/{number}{query}", $"node {number} is not removed", ending);
                await GoneAsync(client, number, ending);
            },
            (number, _) => $"node {number} is removed");
    }

    /// <summary>It leaves the controller group first, and only when it holds nothing any more.</summary>
    private static async Task GoneAsync(AdminClient client, int number, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            NodesAnswer nodes = await client.NodesAsync(cancellation);
            if (nodes.Nodes.FirstOrDefault(node => node.Id == number) is not { } still)
            {
                return;
            }

            if (still.Replicas > 0)
            {
                throw new CommandFailedException(
                    ExitCodes.Failed,
                    $"node {number} leaves: {Counted.Of(still.Replicas, "replica")} {Counted.Be(still.Replicas)} left to be made anew on other nodes; `raftmq node list` shows how many, and `raftmq cluster status` what stands in the way");
            }

            if (Stopwatch.GetElapsedTime(started) > RemovedWithin)
            {
                throw new CommandFailedException(
                    ExitCodes.Unreachable, $"node {number} leaves, but is not gone after {RemovedWithin.TotalSeconds:0} s: the controller group has to go on without it first");
            }

            await Task.Delay(PollTime, cancellation);
        }
    }

    private static Argument<int> Node(string description) => new("node") { Description = description };

    private static Command Change(
        string name, string description, Argument<int> node, IReadOnlyList<Option> options,
        Func<AdminClient, int, ParseResult, CancellationToken, Task> change, Func<int, ParseResult, string> done)
    {
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command(name, description) { node };
        foreach (Option option in options)
        {
            command.Add(option);
        }

        command.Add(admin);
        command.Add(json);
        command.SetAction(async (parsed, cancellation) =>
        {
            int number = parsed.GetValue(node);
            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            await change(client, number, parsed, cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await WriteAsync(output, await client.NodesAsync(cancellation), json: true);
            }
            else
            {
                await output.WriteLineAsync(done(number, parsed));
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
