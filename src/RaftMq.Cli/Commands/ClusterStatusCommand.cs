using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq cluster status</c>: exit code 1 when anything is not as it should be, or could not be found out.</summary>
internal static class ClusterStatusCommand
{
    public static Command Build()
    {
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("status", "Ask all nodes of the cluster; show what is not as it should be and end with 1 then.") { admin, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            ClusterAnswer cluster = await client.ClusterAsync(cancellation);
            ClusterReport report = await client.AskAllAsync(cluster, cancellation);
            bool isGoing = cluster.Nodes.Any(node => node.IsGoing);
            IReadOnlyList<string> obstacles = isGoing ? (await client.NodesAsync(cancellation)).Obstacles ?? [] : [];
            BalanceReport? balance = cluster.Balancing ? BalanceReport.Of(await client.BalanceAsync(cancellation), report.Statuses) : null;
            return await WriteAsync(parsed.InvocationConfiguration.Output, cluster, report, parsed.GetValue(json), obstacles, balance);
        });
        return command;
    }

    /// <param name="obstacles">What keeps replicas on nodes that are drained.</param>
    /// <param name="balance">What is left of the balance under way; null while none is.</param>
    internal static async Task<int> WriteAsync(
        TextWriter output, ClusterAnswer cluster, ClusterReport report, bool json, IReadOnlyList<string>? obstacles = null,
        BalanceReport? balance = null)
    {
        string[] others = [.. ClusterFaults(cluster), .. NodeFaults(cluster, report), .. obstacles ?? []];
        string[] faults = [.. others, .. PartitionFaults.Each(cluster)];
        if (json)
        {
            await Json.WriteAsync(output, new
            {
                cluster.ClusterId,
                controller = cluster.ControllerLeader,
                cluster.FeatureLevel,
                cluster.Nodes,
                statuses = report.Statuses,
                notReached = report.Missing.Keys,
                topics = cluster.Topics.Count(topic => !topic.Internal),
                balance,
                healthy = faults.Length == 0,
                faults,
            });
        }
        else
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"cluster {cluster.ClusterId}, feature level {cluster.FeatureLevel}, {Counted.Of(cluster.Topics.Count(topic => !topic.Internal), "topic")}"));
            Tables.Write(
                output, ["NODE", "STATE", "ROLE", "LEADS", "FOLLOWS", "DAMAGED", "DISK", "SCRUBBED", "RECORDS/S", "CLIENTS AT"],
                cluster.Nodes.Select(node => Row(node, cluster, report)));
            foreach (string movement in report.Statuses.SelectMany(status => status.Movements ?? []).Select(Describe))
            {
                await output.WriteLineAsync(movement);
            }

            if (balance is not null)
            {
                string waits = string.Join(" ", balance.Obstacles);
                await output.WriteLineAsync($"a balance is under way: {balance.Summary}{(waits.Length > 0 ? $"; it waits: {waits}" : "")}");
            }

            await output.WriteLineAsync(faults.Length == 0 ? "healthy" : string.Join(Environment.NewLine, others.Concat(PartitionFaults.Grouped(cluster))));
        }

        return faults.Length == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static string Describe(MovementAnswer movement)
    {
        string how = movement.Phase switch
        {
            "waiting" => "waits for others",
            "catchingUp" => string.Join(", ", movement.Learners.Select(learner => string.Create(
                CultureInfo.InvariantCulture,
                $"node {learner.Node} lacks {learner.EntriesLeft:N0} entries{(learner.BytesLeft > 0 ? $", about {Counted.Bytes(learner.BytesLeft)}" : "")}"))),
            "changing" => "its members change",
            _ => "nearly done",
        };
        return $"{movement.Topic}/{movement.Partition} moves to nodes {string.Join(',', movement.To)}: {how}";
    }

    private static IReadOnlyList<string> Row(NodeAnswer node, ClusterAnswer cluster, ClusterReport report)
    {
        StatusAnswer? status = report.Statuses.FirstOrDefault(known => known.Node == node.Id);
        return
        [
            node.Id.ToString(CultureInfo.InvariantCulture),
            (!node.Alive ? "down" : status is null ? "up, silent" : status.Ready ? "up" : "not ready")
                + (node.IsGoing ? $", {node.State}: {Counted.Of(node.Replicas, "replica")} left" : ""),
            cluster.ControllerLeader == node.Id ? "controller" : "",
            status?.Leading.ToString(CultureInfo.InvariantCulture) ?? "?",
            status?.Following.ToString(CultureInfo.InvariantCulture) ?? "?",
            status is null ? "?" : (status.Damaged?.Count ?? 0).ToString(CultureInfo.InvariantCulture),
            DiskOf(status),
            ScrubOf(status?.Scrub),
            status?.RecordsPerSecond.ToString("N0", CultureInfo.InvariantCulture) ?? "?",
            string.Join(
                ", ",
                node.Listeners.Where(listener => listener.Name is not (ListenerAnswer.Peers or ListenerAnswer.Http))
                    .Select(listener => $"{listener.Host}:{listener.Port}")),
        ];
    }

    private static string DiskOf(StatusAnswer? status) => status switch
    {
        null => "?",
        { ReplicasWithoutRoom: > 0 } or { DiskRoom: "short" } => "full",
        { JournalFull: true } => "journal full",
        { DiskFreeBytes: { } free } => $"{Counted.Bytes(free)} free",
        _ => "?",
    };

    /// <summary>When all files of the node were read the last time, and what was found; how far the pass under way is.</summary>
    private static string ScrubOf(ScrubAnswer? scrub)
    {
        if (scrub is null)
        {
            return "?";
        }

        string last = scrub.LastPassAgoSeconds < 0 ? "not yet"
            : $"{Counted.Time(scrub.LastPassAgoSeconds)} ago{(scrub.LastPassFound > 0 ? $", {Counted.Of(scrub.LastPassFound, "file")} damaged" : "")}";
        return scrub.Of == 0 ? last : string.Create(CultureInfo.InvariantCulture, $"{last}; {scrub.Done} of {scrub.Of} now");
    }

    private static IEnumerable<string> ClusterFaults(ClusterAnswer cluster)
    {
        if (cluster.ControllerLeader is null)
        {
            yield return "the controller has no leader";
        }
    }

    private static IEnumerable<string> NodeFaults(ClusterAnswer cluster, ClusterReport report)
    {
        foreach (NodeAnswer node in cluster.Nodes)
        {
            if (!node.Alive)
            {
                yield return $"node {node.Id} is down";
            }
            else if (report.Missing.TryGetValue(node.Id, out string? why))
            {
                yield return $"node {node.Id} {why}";
            }
        }

        foreach (StatusAnswer status in report.Statuses)
        {
            if (!status.Ready)
            {
                yield return $"node {status.Node} is not ready{(status.NotReadyBecause is { } reason ? $": {reason}" : "")}";
            }

            if (status.ReplicasWithoutRoom > 0)
            {
                yield return $"node {status.Node}: the disk is full, {Counted.Of(status.ReplicasWithoutRoom, "replica")} {(status.ReplicasWithoutRoom == 1 ? "finds" : "find")} no room; make some (docs/operations.md)";
            }
            else if (status.DiskNote is { } note)
            {
                yield return $"node {status.Node}: {note}; make room (docs/operations.md)";
            }

            if (status.JournalFull)
            {
                yield return $"node {status.Node}: the journal is full, or its disk too slow: producers wait";
            }

            foreach (DamageAnswer damage in status.Damaged ?? [])
            {
                string what = damage.Running ? "is damaged in part, the rest is served" : "is damaged and did not start";
                string repair = damage.Repair is null ? "" : $"; repair: {damage.Repair}";
                yield return $"node {status.Node}: {damage.Name} {what}: {damage.Report}{repair}";
            }
        }
    }
}
