using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq cluster status</c>: exit code 1 when a node is down, a replica damaged or a partition without leader.</summary>
internal static class ClusterStatusCommand
{
    /// <summary>The name under which nodes announce where they listen for each other.</summary>
    private const string PeersListener = "peers";

    public static Command Build()
    {
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("status", "Show nodes, controller, and what is not as it should be.") { admin, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            ClusterAnswer cluster = await client.ClusterAsync(cancellation);
            IReadOnlyList<StatusAnswer> statuses = await client.StatusOfAllAsync(cancellation);
            return await WriteAsync(parsed.InvocationConfiguration.Output, cluster, statuses, parsed.GetValue(json));
        });
        return command;
    }

    internal static async Task<int> WriteAsync(
        TextWriter output, ClusterAnswer cluster, IReadOnlyList<StatusAnswer> statuses, bool json)
    {
        string[] faults = [.. Faults(cluster, statuses)];
        if (json)
        {
            await Json.WriteAsync(output, new
            {
                cluster.ClusterId,
                controller = cluster.ControllerLeader,
                cluster.FeatureLevel,
                cluster.Nodes,
                statuses,
                topics = cluster.Topics.Count(topic => !topic.Internal),
                healthy = faults.Length == 0,
                faults,
            });
        }
        else
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"cluster {cluster.ClusterId}, feature level {cluster.FeatureLevel}, {cluster.Topics.Count(topic => !topic.Internal)} topics"));
            Tables.Write(output, ["NODE", "STATE", "ROLE", "LEADS", "FOLLOWS", "RECORDS/S", "CLIENTS AT"], cluster.Nodes.Select(node => Row(node, cluster, statuses)));
            await output.WriteLineAsync(faults.Length == 0 ? "healthy" : string.Join(Environment.NewLine, faults));
        }

        return faults.Length == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static IReadOnlyList<string> Row(NodeAnswer node, ClusterAnswer cluster, IReadOnlyList<StatusAnswer> statuses)
    {
        StatusAnswer? status = statuses.FirstOrDefault(known => known.Node == node.Id);
        return
        [
            node.Id.ToString(CultureInfo.InvariantCulture),
            !node.Alive ? "down" : status is { Ready: false } ? "not ready" : "up",
            cluster.ControllerLeader == node.Id ? "controller" : "",
            status?.Leading.ToString(CultureInfo.InvariantCulture) ?? "?",
            status?.Following.ToString(CultureInfo.InvariantCulture) ?? "?",
            status?.RecordsPerSecond.ToString("N0", CultureInfo.InvariantCulture) ?? "?",
            string.Join(", ", node.Listeners.Where(listener => listener.Name != PeersListener).Select(listener => $"{listener.Host}:{listener.Port}")),
        ];
    }

    private static IEnumerable<string> Faults(ClusterAnswer cluster, IReadOnlyList<StatusAnswer> statuses)
    {
        if (cluster.ControllerLeader is null)
        {
            yield return "the controller has no leader";
        }

        foreach (NodeAnswer node in cluster.Nodes.Where(node => !node.Alive))
        {
            yield return $"node {node.Id} is down";
        }

        foreach (TopicAnswer topic in cluster.Topics)
        {
            foreach (PartitionAnswer partition in topic.Partitions)
            {
                if (partition.Leader is null)
                {
                    yield return $"{topic.Name}/{partition.Partition} has no leader";
                }
                else if (partition.InSync.Count < partition.Replicas.Count)
                {
                    yield return $"{topic.Name}/{partition.Partition} has {partition.InSync.Count} of {partition.Replicas.Count} replicas in sync";
                }
            }
        }

        foreach (StatusAnswer status in statuses)
        {
            foreach (DamageAnswer damage in status.Damaged ?? [])
            {
                yield return $"node {status.Node}: {damage.Name} is damaged: {damage.Report}";
            }
        }
    }
}
