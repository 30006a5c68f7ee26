using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What an entry of the controller group does to the cluster's state. The leader has decided everything (ids, placement) before it
/// proposes; applying only writes down. Stored form: version byte, tag byte, fields.
/// </summary>
internal abstract record ClusterCommand
{
    public const byte Version = 1;

    private const byte SettledTag = 11;
    private const byte SettledInTermTag = 15;
    private const byte RequestAnsweredTag = 30;

    private ClusterCommand() { }

    /// <param name="Voters">The controller group's first voters: what a node that still forms is told.</param>
    public sealed record ClusterFormed(UInt128 ClusterId, int FeatureLevel, ImmutableArray<ReplicaId> Voters) : ClusterCommand;

    public sealed record NodeRegistered(NodeRecord Node) : ClusterCommand;

    public sealed record FeatureLevelFinalized(int Level) : ClusterCommand;

    public sealed record TopicCreated(TopicInfo Topic) : ClusterCommand;

    public sealed record TopicDeleted(UInt128 TopicId) : ClusterCommand;

    public sealed record PartitionsAdded(UInt128 TopicId, ImmutableArray<PartitionInfo> Partitions) : ClusterCommand;

    /// <param name="Configs">All explicit settings as they are from now on.</param>
    public sealed record TopicConfigsSet(UInt128 TopicId, ImmutableSortedDictionary<string, string> Configs) : ClusterCommand;

    public sealed record PreferredLeaderSet(UInt128 TopicId, int Partition, NodeId Node) : ClusterCommand;

    public sealed record ProducerIdsAllocated(int Count) : ClusterCommand;

    /// <param name="Replicas">The set that is wanted from now on.</param>
    public sealed record PartitionMoved(UInt128 TopicId, int Partition, ImmutableArray<ReplicaId> Replicas) : ClusterCommand;

    /// <param name="Epoch">Of the movement; a word on another one says nothing.</param>
    /// <param name="At">The wanted membership's entry is at or below this one.</param>
    /// <param name="Term">Of the leader that says so; zero where an entry of before it was told says so.</param>
    public sealed record PartitionSettled(UInt128 TopicId, int Partition, int Epoch, LogIndex At, Term Term) : ClusterCommand;

    /// <summary>A replica that can't be mended leaves its group, and comes back without anything once it is out.</summary>
    public sealed record ReplicaMadeAnew(UInt128 TopicId, int Partition, ReplicaId Replica) : ClusterCommand;

    /// <summary>A step of the balance: all of it or nothing, so that what it makes better is better afterwards.</summary>
    public sealed record PartitionsPlaced(ImmutableArray<PlacedPartition> Placed) : ClusterCommand;

    /// <summary>A balance begins, or is over.</summary>
    public sealed record BalanceSet(bool IsUnderWay) : ClusterCommand;

    /// <summary>A node of that number may join with an empty folder.</summary>
    /// <param name="UntilMs">Unix time in milliseconds; at or before <paramref name="NowMs"/>: it is not expected any more.</param>
    /// <param name="NowMs">The deciding leader's clock: what was expected until then is forgotten.</param>
    public sealed record NodeExpected(NodeId Node, long UntilMs, long NowMs) : ClusterCommand;

    public sealed record NodeDutySet(NodeId Node, NodeDuty Duty) : ClusterCommand;

    /// <summary>The node left, and this folder with it, for ever.</summary>
    public sealed record NodeRemoved(ReplicaId Replica) : ClusterCommand;

    /// <summary>A request of a node was answered: what it changed, if anything, and what every further copy of it is told (<see cref="RequestMemory"/>).</summary>
    /// <param name="LowestOpen">The node waits for no answer to a request below this one any more.</param>
    /// <param name="Change">Null: the request was refused, or there was nothing to change.</param>
    public sealed record RequestAnswered(
        ReplicaId Node, long Number, long LowestOpen, AdminOutcome Outcome, string? Message, ClusterCommand? Change) : ClusterCommand;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(Version);
        Write(writer);
        return writer.ToArray();
    }

    private void Write(ByteWriter writer)
    {
        switch (this)
        {
            case ClusterFormed formed:
                writer.Byte(1);
                writer.UInt128(formed.ClusterId);
                writer.Int32(formed.FeatureLevel);
                ClusterCodec.WriteReplicas(writer, formed.Voters);
                break;
            case NodeRegistered registered:
                writer.Byte(2);
                registered.Node.Write(writer);
                break;
            case FeatureLevelFinalized finalized:
                writer.Byte(3);
                writer.Int32(finalized.Level);
                break;
            case TopicCreated created:
                writer.Byte(4);
                ClusterCodec.WriteTopic(writer, created.Topic);
                break;
            case TopicDeleted deleted:
                writer.Byte(5);
                writer.UInt128(deleted.TopicId);
                break;
            case PartitionsAdded added:
                writer.Byte(6);
                writer.UInt128(added.TopicId);
                ClusterCodec.WritePartitions(writer, added.Partitions);
                break;
            case TopicConfigsSet set:
                writer.Byte(7);
                writer.UInt128(set.TopicId);
                ClusterCodec.WriteConfigs(writer, set.Configs);
                break;
            case PreferredLeaderSet preferred:
                writer.Byte(8);
                writer.UInt128(preferred.TopicId);
                writer.Int32(preferred.Partition);
                writer.Node(preferred.Node);
                break;
            case ProducerIdsAllocated allocated:
                writer.Byte(9);
                writer.Int32(allocated.Count);
                break;
            case PartitionMoved moved:
                writer.Byte(10);
                writer.UInt128(moved.TopicId);
                writer.Int32(moved.Partition);
                ClusterCodec.WriteReplicas(writer, moved.Replicas);
                break;
            case PartitionSettled settled:
                writer.Byte(settled.Term == Term.Zero ? SettledTag : SettledInTermTag);
                writer.UInt128(settled.TopicId);
                writer.Int32(settled.Partition);
                writer.Int32(settled.Epoch);
                writer.Int64(settled.At.Value);
                if (settled.Term != Term.Zero)
                {
                    writer.Int32(settled.Term.Value);
                }

                break;
            case ReplicaMadeAnew anew:
                writer.Byte(12);
                writer.UInt128(anew.TopicId);
                writer.Int32(anew.Partition);
                writer.Replica(anew.Replica);
                break;
            case PartitionsPlaced placed:
                writer.Byte(13);
                writer.Int32(placed.Placed.Length);
                foreach (PlacedPartition partition in placed.Placed)
                {
                    partition.Write(writer);
                }

                break;
            case BalanceSet set:
                writer.Byte(14);
                writer.Bool(set.IsUnderWay);
                break;
            case NodeExpected expected:
                writer.Byte(20);
                writer.Node(expected.Node);
                writer.Int64(expected.UntilMs);
                writer.Int64(expected.NowMs);
                break;
            case NodeDutySet set:
                writer.Byte(21);
                writer.Node(set.Node);
                writer.Byte((byte)set.Duty);
                break;
            case NodeRemoved removed:
                writer.Byte(22);
                writer.Replica(removed.Replica);
                break;
            case RequestAnswered answered:
                writer.Byte(RequestAnsweredTag);
                writer.Replica(answered.Node);
                writer.Int64(answered.Number);
                writer.Int64(answered.LowestOpen);
                writer.Byte((byte)answered.Outcome);
                writer.OptionalText(answered.Message);
                writer.Bool(answered.Change is not null);
                answered.Change?.Write(writer);
                break;
        }
    }

    /// <summary>Null when the bytes are not a command of a version this node knows.</summary>
    public static ClusterCommand? TryDecode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != Version)
        {
            return null;
        }

        byte tag = reader.Byte();
        ClusterCommand? command = tag == RequestAnsweredTag ? ReadAnswered(ref reader) : Read(tag, ref reader);
        return reader.AtEnd ? command : null;
    }

    private static RequestAnswered ReadAnswered(ref ByteReader reader)
    {
        RequestAnswered answered = new(
            reader.Replica(), reader.Int64(), reader.Int64(), RememberedAnswer.ReadOutcome(ref reader), reader.OptionalText(), Change: null);
        if (!reader.Bool())
        {
            return answered;
        }

        // One does not stand in another.
        ClusterCommand? change = Read(reader.Byte(), ref reader);
        if (change is null)
        {
            reader.Fail();
        }

        return answered with { Change = change };
    }

    private static ClusterCommand? Read(byte tag, ref ByteReader reader) => tag switch
    {
        1 => new ClusterFormed(reader.UInt128(), reader.Int32(), ClusterCodec.ReadReplicas(ref reader)),
        2 => new NodeRegistered(NodeRecord.Read(ref reader)),
        3 => new FeatureLevelFinalized(reader.Int32()),
        4 => new TopicCreated(ClusterCodec.ReadTopic(ref reader)),
        5 => new TopicDeleted(reader.UInt128()),
        6 => new PartitionsAdded(reader.UInt128(), ClusterCodec.ReadPartitions(ref reader)),
        7 => new TopicConfigsSet(reader.UInt128(), ClusterCodec.ReadConfigs(ref reader)),
        8 => new PreferredLeaderSet(reader.UInt128(), reader.Int32(), reader.Node()),
        9 => new ProducerIdsAllocated(reader.Int32()),
        10 => new PartitionMoved(reader.UInt128(), reader.Int32(), ClusterCodec.ReadReplicas(ref reader)),
        SettledTag => new PartitionSettled(reader.UInt128(), reader.Int32(), reader.Int32(), new LogIndex(reader.Int64()), Term.Zero),
        SettledInTermTag => new PartitionSettled(
            reader.UInt128(), reader.Int32(), reader.Int32(), new LogIndex(reader.Int64()), ClusterCodec.ReadTerm(ref reader)),
        12 => new ReplicaMadeAnew(reader.UInt128(), reader.Int32(), reader.Replica()),
        13 => new PartitionsPlaced(PlacedPartition.ReadMany(ref reader)),
        14 => new BalanceSet(reader.Bool()),
        20 => new NodeExpected(reader.Node(), reader.Int64(), reader.Int64()),
        21 => new NodeDutySet(reader.Node(), NodeRoster.ReadDuty(ref reader)),
        22 => new NodeRemoved(reader.Replica()),
        _ => null,
    };
}
