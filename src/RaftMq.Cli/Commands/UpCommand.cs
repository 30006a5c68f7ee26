using System.CommandLine;
using System.Runtime.InteropServices;
using RaftMq.Cli.Admin;
using RaftMq.Cli.LocalCluster;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq up</c>: real node processes on this machine.</summary>
internal static class UpCommand
{
    public const string Name = "up";

    public static Command Build()
    {
        var nodes = new Option<int>("--nodes") { Description = "How many nodes.", DefaultValueFactory = _ => 3 };
        var data = new Option<string>("--data") { Description = "Folder of all data; made if need be.", DefaultValueFactory = _ => "./raftmq-data" };
        var basePort = new Option<int?>("--base-port")
        {
            Description = "Kafka P+k, peers P+100+k, HTTP P+200+k, gRPC P+300+k of node k; without: 9092+k, 7070+k, 8080+10k, 8081+10k.",
        };
        var json = CommonOptions.JsonOutput();
        CommonOptions.Between(nodes, 1, 7);
        CommonOptions.Between(basePort, 1024, 65_000);
        var command = new Command(Name, "Build the server, start a cluster on this machine and keep it running until Ctrl-C (twice: kill).")
        {
            nodes, data, basePort, json,
        };
        command.SetAction((parsed, _) => RunAsync(
            new LocalClusterOptions(parsed.GetValue(nodes), parsed.GetValue(data)!, parsed.GetValue(basePort)), parsed.GetValue(json),
            parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static async Task<int> RunAsync(LocalClusterOptions options, bool json, TextWriter output, TextWriter error)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new CommandFailedException(
                ExitCodes.UnsupportedSystem, "raftmq up runs on Linux only, as the server does; the other commands work here.");
        }

        using var stop = new CancellationTokenSource();
        using var kill = new CancellationTokenSource();
        void Asked(PosixSignalContext signal)
        {
            signal.Cancel = true;
            (stop.IsCancellationRequested ? kill : stop).Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Asked);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Asked);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Asked);

        using FolderLock folder = FolderLock.Take(options.DataFolder);
        if (FolderNodes.Check(options) is { } sentence)
        {
            await error.WriteLineAsync(sentence);
        }

        LocalNodes.Check(options);
        string program = await ServerProgram.FindOrBuildAsync(json ? TextWriter.Null : output, stop.Token);
        folder.Keep();
        FolderNodes.Note(options);
        var lines = new LiveLines(json ? TextWriter.Null : output, terminal: !Console.IsOutputRedirected && ReferenceEquals(output, Console.Out));
        using var starter = new NodeStarter();
        using var admin = new AdminClient(AdminClient.Parse(LocalNodes.Admin(options)));
        var cluster = new LocalNodes(options, program, starter, admin, lines);
        await cluster.RunAsync(states => AnnounceAsync(options, states, json, output, lines), stop.Token, kill.Token);
        return kill.IsCancellationRequested ? ExitCodes.Interrupted : ExitCodes.Done;
    }

    private static async Task AnnounceAsync(
        LocalClusterOptions options, IReadOnlyList<NodeState> states, bool json, TextWriter output, LiveLines lines)
    {
        if (json)
        {
            await Json.WriteLineAsync(output, new
            {
                bootstrap = LocalNodes.Bootstrap(options),
                admin = LocalNodes.Admin(options),
                data = Path.GetFullPath(options.DataFolder),
                nodes = states.Select(state => new
                {
                    node = state.Node,
                    process = state.Process,
                    ports = NodePorts.Of(state.Node, options.BasePort),
                    data = Path.GetFullPath(options.FolderOf(state.Node)),
                }),
            });
            await output.FlushAsync();
            return;
        }

        foreach (NodeState state in states)
        {
            NodePorts ports = NodePorts.Of(state.Node, options.BasePort);
            lines.Say($"node {state.Node}: Kafka localhost:{ports.Kafka}  HTTP localhost:{ports.Http}  peers localhost:{ports.Peers}  data {options.FolderOf(state.Node)}");
        }

        if (options.BasePort is not null)
        {
            lines.Say($"the other commands need --bootstrap {LocalNodes.Bootstrap(options)}");
            lines.Say($"cluster status and partition transfer need --admin {LocalNodes.Admin(options)}");
        }

        lines.Say($"ready; clients connect to {LocalNodes.Bootstrap(options)}; Ctrl-C stops all nodes");
    }
}
