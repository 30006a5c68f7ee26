using RaftMq.Cli.Commands;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Client;
using RaftMq.Kafka.Wire.Messages;
using RaftMq.Testing;

namespace RaftMq.Cli.Tests.LocalCluster;

/// <summary>A consumer group of one member, which is given partitions 0 and 1 of a topic and commits an offset in partition 0.</summary>
internal sealed class OneMemberGroup : IAsyncDisposable
{
    private const string ProtocolType = "consumer";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly KafkaCluster cluster;
    private readonly string group;

    private OneMemberGroup(string bootstrap, string group)
    {
        cluster = CommonOptions.Cluster(bootstrap);
        this.group = group;
    }

    public static async Task<OneMemberGroup> CommitAsync(string bootstrap, string group, string topic, long offset, CancellationToken cancellation)
    {
        OneMemberGroup made = new(bootstrap, group);
        (string member, int generation) = await made.JoinAsync(cancellation);
        SyncGroupRequest sync = new()
        {
            GroupId = group,
            GenerationId = generation,
            MemberId = member,
            ProtocolType = ProtocolType,
            ProtocolName = "range",
            Assignments = [new SyncGroupRequest.MemberAssignment { MemberId = member, Assignment = PartitionsOf(topic) }],
        };
        Assert.Equal(KafkaError.None, await made.AskAsync(sync, synced => synced.Error, cancellation));

        OffsetCommitRequest commit = new()
        {
            GroupId = group,
            GenerationId = generation,
            MemberId = member,
            Topics =
            [
                new OffsetCommitRequest.Topic
                {
                    Name = topic, Partitions = [new OffsetCommitRequest.Partition { Index = 0, CommittedOffset = offset, Metadata = "" }],
                },
            ],
        };
        Assert.Equal(KafkaError.None, await made.AskAsync(commit, committed => committed.Topics[0].Partitions[0].Error, cancellation));
        return made;
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    /// <summary>Version 0: one topic, two partitions, no user data.</summary>
    private static byte[] PartitionsOf(string topic) =>
        [0, 0, 0, 0, 0, 1, 0, (byte)topic.Length, .. System.Text.Encoding.ASCII.GetBytes(topic), 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255];

    /// <summary>A coordinator that took over since the id was given does not know it: only members that joined are replicated.</summary>
    private async Task<(string Member, int Generation)> JoinAsync(CancellationToken cancellation)
    {
        JoinGroupRequest join = new()
        {
            GroupId = group,
            SessionTimeoutMs = 30_000,
            RebalanceTimeoutMs = 30_000,
            ProtocolType = ProtocolType,
            Protocols = [new JoinGroupRequest.Protocol { Name = "range", Metadata = [] }],
        };
        KafkaError error;
        int generation = 0;
        do
        {
            join.MemberId = "";
            Assert.Equal(
                KafkaError.MemberIdRequired,
                await AskAsync(
                    join,
                    first =>
                    {
                        join.MemberId = first.MemberId;
                        return first.Error;
                    },
                    cancellation));
            error = await AskAsync(
                join,
                joined =>
                {
                    generation = joined.GenerationId;
                    return joined.Error;
                },
                cancellation);
        }
        while (error == KafkaError.UnknownMemberId);

        Assert.Equal(KafkaError.None, error);
        return (join.MemberId, generation);
    }

    /// <summary>Asks the coordinator, and as every client does its successor where the group has just gone to another node.</summary>
    private async Task<KafkaError> AskAsync<TRequest, TResponse>(
        IKafkaRequest<TRequest, TResponse> request, Func<TResponse, KafkaError> errorOf, CancellationToken cancellation)
        where TRequest : class, IKafkaRequest<TRequest, TResponse>
        where TResponse : class, IKafkaMessage<TResponse>
    {
        KafkaError error = KafkaError.None;
        await Eventually.HoldsAsync(
            async () =>
            {
                KafkaConnection coordinator = await CoordinatorAsync(cancellation);
                using KafkaReply<TResponse> reply = await coordinator.SendAsync(request, cancellation);
                error = errorOf(reply.Message);
                return error is not (KafkaError.NotCoordinator or KafkaError.CoordinatorLoadInProgress or KafkaError.CoordinatorNotAvailable);
            },
            () => $"{error}", (int)Patience.TotalMilliseconds);
        return error;
    }

    /// <summary>The group's partition of the internal topic is made when first asked for.</summary>
    private async Task<KafkaConnection> CoordinatorAsync(CancellationToken cancellation)
    {
        FindCoordinatorResponse.Coordinator? answer = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                KafkaConnection any = await cluster.GetAnyConnectionAsync(cancellation);
                using KafkaReply<FindCoordinatorResponse> reply =
                    await any.SendAsync(new FindCoordinatorRequest { Key = group, CoordinatorKeys = [group] }, cancellation);
                answer = reply.Message.Coordinators[0];
                return answer.Error == KafkaError.None;
            },
            () => $"no coordinator: {answer?.Error} {answer?.ErrorMessage}", (int)Patience.TotalMilliseconds);
        await cluster.RefreshAsync([], cancellation);
        return await cluster.GetConnectionAsync(answer!.NodeId, cancellation);
    }
}
