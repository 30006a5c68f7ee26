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
        KafkaConnection coordinator = await made.CoordinatorAsync(cancellation);
        JoinGroupRequest Join(string memberId) => new()
        {
            GroupId = group,
            SessionTimeoutMs = 30_000,
            RebalanceTimeoutMs = 30_000,
            MemberId = memberId,
            ProtocolType = ProtocolType,
            Protocols = [new JoinGroupRequest.Protocol { Name = "range", Metadata = [] }],
        };
        string member;
        using (KafkaReply<JoinGroupResponse> first = await coordinator.SendAsync(Join(""), cancellation))
        {
            Assert.Equal(KafkaError.MemberIdRequired, first.Message.Error);
            member = first.Message.MemberId;
        }

        int generation;
        using (KafkaReply<JoinGroupResponse> joined = await coordinator.SendAsync(Join(member), cancellation))
        {
            Assert.Equal(KafkaError.None, joined.Message.Error);
            generation = joined.Message.GenerationId;
        }

        SyncGroupRequest sync = new()
        {
            GroupId = group,
            GenerationId = generation,
            MemberId = member,
            ProtocolType = ProtocolType,
            ProtocolName = "range",
            Assignments = [new SyncGroupRequest.MemberAssignment { MemberId = member, Assignment = PartitionsOf(topic) }],
        };
        using (KafkaReply<SyncGroupResponse> synced = await coordinator.SendAsync(sync, cancellation))
        {
            Assert.Equal(KafkaError.None, synced.Message.Error);
        }

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
        using (KafkaReply<OffsetCommitResponse> committed = await coordinator.SendAsync(commit, cancellation))
        {
            Assert.Equal(KafkaError.None, committed.Message.Topics[0].Partitions[0].Error);
        }

        return made;
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    /// <summary>Version 0: one topic, two partitions, no user data.</summary>
    private static byte[] PartitionsOf(string topic) =>
        [0, 0, 0, 0, 0, 1, 0, (byte)topic.Length, .. System.Text.Encoding.ASCII.GetBytes(topic), 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255];

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
