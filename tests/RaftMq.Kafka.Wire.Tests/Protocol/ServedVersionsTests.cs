using RaftMq.Kafka.Wire.Messages;
using RaftMq.Kafka.Wire.Tests.Codec;

namespace RaftMq.Kafka.Wire.Tests.Protocol;

public sealed class ServedVersionsTests
{
    /// <summary>Key, versions and first flexible version as clients know them: kept apart from the schemas on purpose.</summary>
    private static readonly (ApiKey Key, int Min, int Max, int? FlexibleFrom)[] known =
    [
        (ApiKey.Produce, 0, 9, 9), (ApiKey.Fetch, 4, 12, 12), (ApiKey.ListOffsets, 0, 7, 6), (ApiKey.Metadata, 0, 12, 9),
        (ApiKey.OffsetCommit, 0, 9, 8), (ApiKey.OffsetFetch, 0, 9, 6), (ApiKey.FindCoordinator, 0, 4, 3), (ApiKey.JoinGroup, 0, 9, 6),
        (ApiKey.Heartbeat, 0, 4, 4), (ApiKey.LeaveGroup, 0, 5, 4), (ApiKey.SyncGroup, 0, 5, 4), (ApiKey.DescribeGroups, 0, 5, 5),
        (ApiKey.ListGroups, 0, 4, 3), (ApiKey.ApiVersions, 0, 3, 3), (ApiKey.CreateTopics, 0, 7, 5), (ApiKey.DeleteTopics, 0, 6, 4),
        (ApiKey.DeleteRecords, 0, 2, 2), (ApiKey.InitProducerId, 0, 5, 2), (ApiKey.OffsetForLeaderEpoch, 2, 4, 4),
        (ApiKey.DescribeConfigs, 0, 4, 4), (ApiKey.AlterConfigs, 0, 2, 2), (ApiKey.CreatePartitions, 0, 3, 2),
        (ApiKey.DeleteGroups, 0, 2, 2), (ApiKey.IncrementalAlterConfigs, 0, 1, 1), (ApiKey.OffsetDelete, 0, 0, null),
        (ApiKey.DescribeCluster, 0, 1, 0), (ApiKey.ElectLeaders, 0, 2, 2), (ApiKey.AlterPartitionReassignments, 0, 0, 0),
        (ApiKey.ListPartitionReassignments, 0, 0, 0),
    ];

    [Fact]
    public void The_table_is_what_clients_are_told()
    {
        Assert.Equal(
            known.Select(k => new ApiVersionRange(k.Key, (short)k.Min, (short)k.Max)).OrderBy(r => r.Key),
            ServedVersions.All);
    }

    [Fact]
    public void Both_schemas_of_a_key_cover_the_table_and_agree_on_flexible_versions()
    {
        foreach ((ApiKey key, int min, int max, int? flexibleFrom) in known)
        {
            List<MessageSchema> schemas = [.. AnyMessage.All.Select(m => m.Schema).Where(s => s.Key == key)];
            Assert.Equal([$"{key}Request", $"{key}Response"], schemas.Select(s => s.Name));
            foreach (MessageSchema schema in schemas)
            {
                Assert.Equal((schema.Name, min, max, flexibleFrom), (schema.Name, schema.VersionMin, schema.VersionMax, schema.FlexibleFrom));
            }

            Assert.Same(schemas[0], RequestSchemas.Find(key));
        }
    }

    [Fact]
    public void Header_versions_follow_the_first_flexible_version()
    {
        foreach ((ApiKey key, int min, int max, int? flexibleFrom) in known)
        {
            MessageSchema schema = RequestSchemas.Find(key)!;
            for (int version = min; version <= max; version++)
            {
                bool flexible = version >= flexibleFrom;
                Assert.Equal(flexible ? 2 : 1, HeaderVersions.OfRequest(schema, version));
                Assert.Equal(flexible && key != ApiKey.ApiVersions ? 1 : 0, HeaderVersions.OfResponse(schema, version));
            }
        }
    }

    [Fact]
    public void What_is_not_in_the_table_is_not_served()
    {
        Assert.True(ServedVersions.Serves(ApiKey.Produce, 9));
        Assert.False(ServedVersions.Serves(ApiKey.Produce, 10));
        Assert.False(ServedVersions.Serves(ApiKey.Fetch, 3));
        Assert.False(ServedVersions.Serves(ApiKey.EndTxn, 0));
        Assert.False(ServedVersions.Serves((ApiKey)(-5), 0));
        Assert.Null(RequestSchemas.Find(ApiKey.EndTxn));
    }
}
