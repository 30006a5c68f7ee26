using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary>What is not as it should be of partitions: for programs each for itself, for people those with the same trouble together.</summary>
internal static class PartitionFaults
{
    /// <summary>So many of a group are named, unless naming one more names all.</summary>
    private const int NamedMax = 3;

    public static IEnumerable<string> Each(ClusterAnswer cluster) => All(cluster).Select(fault =>
        fault.Partition.Leader is null
            ? $"{fault.Name} has no leader"
            : $"{fault.Name} has {fault.Partition.InSync.Count} of {fault.Partition.Replicas.Count} replicas in sync, it lacks {NodesOf(fault.Lacking)}");

    /// <summary>A node that is down is missing everywhere: one line, not one for each partition.</summary>
    public static IEnumerable<string> Grouped(ClusterAnswer cluster)
    {
        Fault[] all = [.. All(cluster)];
        string[] headless = [.. all.Where(fault => fault.Partition.Leader is null).Select(fault => fault.Name)];
        if (headless.Length > 0)
        {
            yield return Sentence(headless, "has no leader", "have no leader");
        }

        foreach (IGrouping<string, Fault> alike in all.Where(fault => fault.Partition.Leader is not null)
            .GroupBy(fault => NodesOf(fault.Lacking), StringComparer.Ordinal)
            .OrderBy(group => group.First().Lacking, NodeOrder.Instance))
        {
            yield return Sentence([.. alike.Select(fault => fault.Name)], $"lacks {alike.Key}", $"lack {alike.Key}");
        }
    }

    private static IEnumerable<Fault> All(ClusterAnswer cluster) =>
        from topic in cluster.Topics
        from partition in topic.Partitions
        where partition.Leader is null || partition.InSync.Count < partition.Replicas.Count
        select new Fault($"{topic.Name}/{partition.Partition}", partition, [.. partition.Replicas.Except(partition.InSync).Order()]);

    private static string Sentence(string[] names, string one, string several)
    {
        if (names.Length == 1)
        {
            return $"{names[0]} {one}";
        }

        string named = names.Length <= NamedMax + 1
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(NamedMax))} and {names.Length - NamedMax} more";
        return $"{Counted.Of(names.Length, "partition")} {several}: {named}";
    }

    private static string NodesOf(int[] nodes) =>
        nodes.Length == 1 ? $"node {nodes[0]}" : $"nodes {string.Join(", ", nodes[..^1])} and {nodes[^1]}";

    /// <param name="Lacking">Replicas that are not in sync, by their nodes.</param>
    private sealed record Fault(string Name, PartitionAnswer Partition, int[] Lacking);

    private sealed class NodeOrder : IComparer<int[]>
    {
        public static NodeOrder Instance { get; } = new();

        public int Compare(int[]? x, int[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
