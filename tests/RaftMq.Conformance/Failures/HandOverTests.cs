using System.Collections.Concurrent;
using System.Diagnostics;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Testing.Processes;

namespace RaftMq.Conformance.Failures;

/// <summary>A leader that is stopped in good order says itself that another leads now, so that its clients need not find out.</summary>
public sealed class HandOverTests : IAsyncLifetime
{
    private const string Topic = "t";

    /// <summary>At least one of them waits for an answer at any time, so also while leadership goes over.</summary>
    private const int Senders = 4;

    /// <summary>The shortest election time.</summary>
    private static readonly TimeSpan s_election = TimeSpan.FromMilliseconds(600);

    private TestCluster cluster = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => cluster = await TestCluster.StartAsync(new TestClusterOptions(), Cancellation);

    public async ValueTask DisposeAsync()
    {
        ClusterCase.ShowIfFailed(cluster);
        await cluster.DisposeAsync();
    }

    /// <summary>
    /// The time is the better one of two stops, as the machine may be busy. It alone would not do: the reset connections of a process that
    /// just goes are news that is acted on at once.
    /// </summary>
    [Fact]
    public async Task A_leader_that_stops_sends_its_producers_on_and_they_go_on_before_an_election_time()
    {
        await using KafkaProbe probe = new(cluster);
        await probe.CreateTopicAsync(Topic, partitions: 1);
        TimeSpan first = await StopTheLeaderAsync(probe);
        TimeSpan second = await StopTheLeaderAsync(probe);
        TestContext.Current.TestOutputHelper?.WriteLine($"without an ack: {first.TotalMilliseconds:F0} and {second.TotalMilliseconds:F0} ms");
        Assert.True((first < second ? first : second) < s_election, $"{first}, {second}");
    }

    /// <summary>Stops the leader under load, and starts it again.</summary>
    /// <returns>The longest time without an ack.</returns>
    private async Task<TimeSpan> StopTheLeaderAsync(KafkaProbe probe)
    {
        NodeUnderTest leader = await cluster.WaitForLeaderAsync(Topic, 0, Cancellation);
        ConcurrentQueue<Sent> sent = [];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] senders = [.. Enumerable.Range(0, Senders).Select(_ => SendAsync(probe, leader.Id, sent, stop.Token))];
        await AckedAsync(sent, 20);
        Assert.Equal(0, await leader.StopAsync(Cancellation));
        await AckedAsync(sent, sent.Count + 20);
        await stop.CancelAsync();
        await Task.WhenAll(senders);

        Assert.Contains(sent, send => send.Node == leader.Id && send.Error == KafkaError.NotLeaderOrFollower);
        Assert.DoesNotContain(sent, send => send.Error is not (null or KafkaError.None or KafkaError.NotLeaderOrFollower));
        await leader.StartAsync();
        await cluster.WaitReadyAsync(Cancellation);
        long[] acks = [.. sent.Where(send => send.Error == KafkaError.None).Select(send => send.AnsweredAt).Order()];
        return Stopwatch.GetElapsedTime(0, acks.Zip(acks.Skip(1), (one, next) => next - one).Max());
    }

    private Task AckedAsync(ConcurrentQueue<Sent> sent, int count) => cluster.EventuallyAsync(
        $"{count} answers",
        () => Task.FromResult(sent.Count >= count && sent.Last().Error == KafkaError.None ? null : $"{sent.Count}"),
        TimeSpan.FromSeconds(20), Cancellation);

    /// <summary>Sends to the leader, one after the other, and once that one is no leader any more, to the next.</summary>
    private static async Task SendAsync(KafkaProbe probe, int leader, ConcurrentQueue<Sent> sent, CancellationToken stop)
    {
        int node = leader;
        while (!stop.IsCancellationRequested)
        {
            KafkaError? error;
            try
            {
                (error, _) = await probe.ProduceAsync(Topic, 0, timeoutMs: 5_000, node);
            }
            catch (KafkaConnectionException)
            {
                error = null;
            }

            sent.Enqueue(new Sent(node, error, Stopwatch.GetTimestamp()));
            if (error != KafkaError.None)
            {
                do
                {
                    node = await NextLeaderAsync(probe) ?? leader;
                }
                while (node == leader);
            }
        }
    }

    private static async Task<int?> NextLeaderAsync(KafkaProbe probe)
    {
        try
        {
            return await probe.FindLeaderAsync(Topic, 0);
        }
        catch (KafkaConnectionException)
        {
            return null;
        }
    }

    /// <param name="Error">Null: the connection was gone.</param>
    private readonly record struct Sent(int Node, KafkaError? Error, long AnsweredAt);
}
