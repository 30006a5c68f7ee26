using System.Globalization;
using RaftMq.Cli.Admin;

namespace RaftMq.Cli.Bench;

/// <summary>What a RaftMq node's disk had done, from its metrics.</summary>
internal sealed record NodeFigures(string Node, long Syncs, long WrittenBytes)
{
    public static async Task<IReadOnlyList<NodeFigures>> ReadAsync(AdminClient client, IReadOnlyList<Uri> nodes, CancellationToken cancellation)
    {
        List<NodeFigures> found = [];
        foreach (Uri node in nodes)
        {
            if (await client.MetricsAsync(node, cancellation) is { } text)
            {
                found.Add(new NodeFigures(
                    node.Authority, Sum(text, "raftmq_disk_sync_duration_seconds_count"), Sum(text, "raftmq_disk_written_bytes_total")));
            }
        }

        return found;
    }

    /// <summary>What was done since; nodes that were not there before, or started again, count from 0.</summary>
    public static IReadOnlyList<NodeFigures> Since(IReadOnlyList<NodeFigures> before, IReadOnlyList<NodeFigures> after) =>
    [
        .. after.Select(now =>
            before.FirstOrDefault(then => then.Node == now.Node) is { } then && then.Syncs <= now.Syncs
                ? now with { Syncs = now.Syncs - then.Syncs, WrittenBytes = now.WrittenBytes - then.WrittenBytes }
                : now),
    ];

    /// <summary>The sum of a family's samples over their labels.</summary>
    internal static long Sum(string metrics, string name)
    {
        double sum = 0;
        foreach (ReadOnlySpan<char> line in metrics.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is (' ' or '{')
                && double.TryParse(line[(line.LastIndexOf(' ') + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
            {
                sum += value;
            }
        }

        return (long)sum;
    }
}
