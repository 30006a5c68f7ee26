namespace RaftMq.Kafka.Wire;

/// <summary>
/// What the broker advertises. It follows what clients ask for (docs/kafka.md): librdkafka up to 2.x looks for overlap with fixed old
/// ranges before it enables a feature, so Produce starts at 0 (gzip, snappy, lz4), FindCoordinator at 0 (lz4), and the group requests at 0.
/// Requests for transactions are not listed until they are served.
/// </summary>
public static class ServedVersions
{
    private static readonly ApiVersionRange[] ranges =
    [
        new(ApiKey.Produce, 0, 9),
        new(ApiKey.Fetch, 4, 12),
        new(ApiKey.ListOffsets, 0, 7),
        new(ApiKey.Metadata, 0, 12),
        new(ApiKey.OffsetCommit, 0, 9),
        new(ApiKey.OffsetFetch, 0, 9),
        new(ApiKey.FindCoordinator, 0, 4),
        new(ApiKey.JoinGroup, 0, 9),
        new(ApiKey.Heartbeat, 0, 4),
        new(ApiKey.LeaveGroup, 0, 5),
        new(ApiKey.SyncGroup, 0, 5),
        new(ApiKey.DescribeGroups, 0, 5),
        new(ApiKey.ListGroups, 0, 4),
        new(ApiKey.ApiVersions, 0, 3),
        new(ApiKey.CreateTopics, 0, 7),
        new(ApiKey.DeleteTopics, 0, 6),
        new(ApiKey.DeleteRecords, 0, 2),
        new(ApiKey.InitProducerId, 0, 5),
        new(ApiKey.OffsetForLeaderEpoch, 2, 4),
        new(ApiKey.DescribeConfigs, 0, 4),
        new(ApiKey.AlterConfigs, 0, 2),
        new(ApiKey.CreatePartitions, 0, 3),
        new(ApiKey.DeleteGroups, 0, 2),
        new(ApiKey.ElectLeaders, 0, 2),
        new(ApiKey.IncrementalAlterConfigs, 0, 1),
        new(ApiKey.AlterPartitionReassignments, 0, 0),
        new(ApiKey.ListPartitionReassignments, 0, 0),
        new(ApiKey.OffsetDelete, 0, 0),
        new(ApiKey.DescribeCluster, 0, 1),
    ];

    /// <summary>Ordered by key.</summary>
    public static IReadOnlyList<ApiVersionRange> All => ranges;

    public static bool TryFind(ApiKey key, out ApiVersionRange range)
    {
        foreach (ApiVersionRange candidate in ranges)
        {
            if (candidate.Key == key)
            {
                range = candidate;
                return true;
            }
        }

        range = default;
        return false;
    }

    public static bool Serves(ApiKey key, int version) => TryFind(key, out ApiVersionRange range) && range.Contains(version);
}
