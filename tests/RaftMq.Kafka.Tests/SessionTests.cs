using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Tests;

public sealed class SessionTests
{
    [Fact]
    public async Task ApiVersions_of_the_future_is_answered_in_the_oldest_form_with_error_35()
    {
        var connection = new TestConnection();

        // Key 18, version 9, correlation 77, and a header of a form nobody knows.
        byte[] frame = [0, 18, 0, 9, 0, 0, 0, 77, 0xFF, 0xFF, 0xFF];
        TestResponse response = connection.SendFrame(frame, ApiVersionsRequest.Schema, version: 0, correlation: 77);
        ApiVersionsResponse answer = await response.ReadAsync<ApiVersionsResponse>();
        Assert.Equal(35, (short)answer.Error);
        Assert.Equal(ServedVersions.All.Count, answer.ApiKeys.Length);
    }

    [Fact]
    public async Task ApiVersions_lists_what_librdkafka_probes_for_and_nothing_transactional()
    {
        ApiVersionsResponse answer = await new TestConnection().AskAsync(new ApiVersionsRequest { ClientSoftwareName = "x" }, 3);
        var ranges = answer.ApiKeys.ToDictionary(api => api.ApiKey, api => (api.MinVersion, api.MaxVersion));

        // gzip, snappy and lz4 hang on Produce 0, lz4 on FindCoordinator 0, zstd on Produce 7 and Fetch 10, groups on the rest.
        (ApiKey Key, int From, int To)[] probes =
        [
            (ApiKey.Produce, 0, 0), (ApiKey.FindCoordinator, 0, 0), (ApiKey.Produce, 7, 7), (ApiKey.Fetch, 10, 10),
            (ApiKey.Produce, 3, 3), (ApiKey.Fetch, 4, 4), (ApiKey.OffsetCommit, 1, 2), (ApiKey.OffsetFetch, 1, 1),
            (ApiKey.JoinGroup, 0, 0), (ApiKey.SyncGroup, 0, 0), (ApiKey.Heartbeat, 0, 0), (ApiKey.LeaveGroup, 0, 0),
            (ApiKey.InitProducerId, 0, 0), (ApiKey.OffsetForLeaderEpoch, 2, 2), (ApiKey.ListOffsets, 1, 1),
        ];
        foreach ((ApiKey key, int from, int to) in probes)
        {
            Assert.True(ranges[key].MinVersion <= to && ranges[key].MaxVersion >= from, $"{key} {from}-{to} is not overlapped");
        }

        Assert.DoesNotContain(ranges.Keys, key => (short)key is 24 or 25 or 26 or 27 or 28);
        Assert.Empty(answer.FinalizedFeatures);
    }

    [Theory]
    [InlineData(24, 0)]
    [InlineData(3, 13)]
    [InlineData(1, 3)]
    [InlineData(-1, 0)]
    [InlineData(999, 0)]
    public async Task What_is_not_served_closes_the_connection(short key, short version)
    {
        var connection = new TestConnection();
        byte[] frame = [(byte)(key >> 8), (byte)key, (byte)(version >> 8), (byte)version, 0, 0, 0, 1, 0, 0, 0];
        TestResponse response = connection.SendFrame(frame);
        await response.EndAsync();
        Assert.Contains("not served", response.ClosedBecause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_may_come_in_another_order_than_requests_as_the_connection_orders_them()
    {
        var connection = new TestConnection();
        connection.Broker.AddTopic("orders", 1);
        connection.Broker.HoldCompletions = true;
        TestResponse first = connection.Send(Produce("orders"), 9);
        await first.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        TestResponse second = connection.Send(Produce("orders"), 9);
        await second.Handled.WaitAsync(TestResponse.Patience, TestContext.Current.CancellationToken);
        MetadataResponse metadata = await connection.AskAsync(new MetadataRequest(), 9);
        Assert.Equal(3, metadata.Brokers.Length);
        Assert.False(first.IsEnded);
        Assert.False(second.IsEnded);
        connection.Broker.Release();
        Assert.Equal(0, (await first.ReadAsync<ProduceResponse>()).Topics[0].Partitions[0].BaseOffset);
        Assert.Equal(1, (await second.ReadAsync<ProduceResponse>()).Topics[0].Partitions[0].BaseOffset);
    }

    [Fact]
    public async Task A_client_without_a_name_is_served()
    {
        MetadataResponse answer = await new TestConnection().AskAsync(new MetadataRequest(), 0, clientId: null);
        Assert.Equal(3, answer.Brokers.Length);
    }

    private static ProduceRequest Produce(string topic) => new()
    {
        Acks = -1,
        TimeoutMs = 1000,
        Topics =
        [
            new ProduceRequest.Topic
            {
                Name = topic,
                Partitions = [new ProduceRequest.Partition { Index = 0, Records = new RecordBytes(Batches.Of(1)) }],
            },
        ],
    };
}
