using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>What a node asks of the controller's leader.</summary>
internal abstract record ControllerRequest
{
    private ControllerRequest() { }

    /// <param name="TopicId">
    /// Of the topic that had the name when the asking node took the request: a copy that comes late must not meet the next topic of that name. Zero:
    /// the command names none, or none was known there.
    /// </param>
    /// <param name="Node">Of a command that names a node: what the asking node knew of it then. Null: it names none, or whatever has that number is meant.</param>
    public sealed record Administer(AdminCommand Command, UInt128 TopicId = default, NodeAsKnown? Node = null) : ControllerRequest;

    /// <summary>A request that is carried out once, however often it comes (<see cref="RequestId"/>; the asking node and the number stand beside it).</summary>
    public sealed record Once(ulong StartId, long LowestOpen, Administer Request) : ControllerRequest;

    /// <summary>Each node says who it is until the controller's state says the same.</summary>
    public sealed record Register(NodeRecord Node) : ControllerRequest;

    /// <summary>A partition's leader says that the group's membership is what the cluster's state of this epoch wants.</summary>
    /// <param name="At">The membership's entry is at or below this one.</param>
    /// <param name="Term">The leader's.</param>
    public sealed record Settled(UInt128 TopicId, int Partition, int Epoch, LogIndex At, Term Term) : ControllerRequest;

    /// <summary>A node says that its replica can't be mended where it is.</summary>
    /// <param name="Epoch">Of the placement that the node knows.</param>
    public sealed record MakeAnew(UInt128 TopicId, int Partition, int Epoch, ReplicaId Replica) : ControllerRequest;
}

/// <param name="AppliedAt">The asking node answers its caller once it has applied up to here; zero when nothing was written.</param>
internal sealed record ControllerResponse(AdminResult Result, LogIndex AppliedAt);

/// <summary>The bytes of requests to the controller's leader, and of its answers. Version byte first.</summary>
internal static class AdminCodec
{
    private const byte Version = 1;
    private const byte SettledTag = 20;
    private const byte MakeAnewTag = 24;
    private const byte SettledInTermTag = 25;

    /// <summary>The id of the topic that a command names stands before the command.</summary>
    private const byte OfTopicTag = 40;

    /// <summary>What makes a request one that is carried out once stands before it.</summary>
    private const byte OnceTag = 41;

    /// <summary>What was known of the node that a command names stands before the command.</summary>
    private const byte OfNodeTag = 42;

    public static byte[] Encode(ControllerRequest request)
    {
        var writer = new ByteWriter();
        writer.Byte(Version);
        switch (request)
        {
            case ControllerRequest.Register register:
                writer.Byte(1);
                register.Node.Write(writer);
                break;
            case ControllerRequest.Settled settled:
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
            case ControllerRequest.MakeAnew anew:
                writer.Byte(MakeAnewTag);
                writer.UInt128(anew.TopicId);
                writer.Int32(anew.Partition);
                writer.Int32(anew.Epoch);
                writer.Replica(anew.Replica);
                break;
            case ControllerRequest.Administer administer:
                WriteAdminister(writer, administer);
                break;
            case ControllerRequest.Once once:
                writer.Byte(OnceTag);
                writer.Int64(unchecked((long)once.StartId));
                writer.Int64(once.LowestOpen);
                WriteAdminister(writer, once.Request);
                break;
        }

        return writer.ToArray();
    }

    public static ControllerRequest? TryDecodeRequest(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != Version)
        {
            return null;
        }

        byte tag = reader.Byte();
        ControllerRequest? request = tag switch
        {
            1 => new ControllerRequest.Register(NodeRecord.Read(ref reader)),
            SettledTag => new ControllerRequest.Settled(
                reader.UInt128(), reader.Int32(), reader.Int32(), new LogIndex(reader.Int64()), Term.Zero),
            SettledInTermTag => new ControllerRequest.Settled(
                reader.UInt128(), reader.Int32(), reader.Int32(), new LogIndex(reader.Int64()), ClusterCodec.ReadTerm(ref reader)),
            MakeAnewTag => new ControllerRequest.MakeAnew(reader.UInt128(), reader.Int32(), reader.Int32(), reader.Replica()),
            OnceTag => ReadOnce(ref reader),
            _ => ReadAdminister(tag, ref reader),
        };
        return reader.AtEnd ? request : null;
    }

    public static byte[] Encode(ControllerResponse response)
    {
        var writer = new ByteWriter();
        writer.Byte(Version);
        writer.Byte((byte)response.Result.Outcome);
        writer.OptionalText(response.Result.Message);
        writer.Int64(response.Result.Number);
        writer.Bool(response.Result.Topic is not null);
        if (response.Result.Topic is { } topic)
        {
            ClusterCodec.WriteTopic(writer, topic);
        }

        writer.Int64(response.AppliedAt.Value);
        return writer.ToArray();
    }

    public static ControllerResponse? TryDecodeResponse(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != Version)
        {
            return null;
        }

        var outcome = (AdminOutcome)reader.Byte();
        var result = new AdminResult(
            outcome, reader.OptionalText(), reader.Int64(), reader.Bool() ? ClusterCodec.ReadTopic(ref reader) : null);
        var appliedAt = new LogIndex(reader.Int64());
        return reader.AtEnd && Enum.IsDefined(outcome) ? new ControllerResponse(result, appliedAt) : null;
    }

    private static ControllerRequest.Once? ReadOnce(ref ByteReader reader)
    {
        ulong startId = unchecked((ulong)reader.Int64());
        long lowestOpen = reader.Int64();
        return ReadAdminister(reader.Byte(), ref reader) is { } request ? new ControllerRequest.Once(startId, lowestOpen, request) : null;
    }

    private static void WriteAdminister(ByteWriter writer, ControllerRequest.Administer administer)
    {
        if (administer.TopicId != 0)
        {
            writer.Byte(OfTopicTag);
            writer.UInt128(administer.TopicId);
        }
        else if (administer.Node is { } node)
        {
            writer.Byte(OfNodeTag);
            writer.UInt128((node.Folder ?? default).Value);
            writer.Int64(node.ExpectedUntilMs);
        }

        WriteCommand(writer, administer.Command);
    }

    private static ControllerRequest.Administer? ReadAdminister(byte tag, ref ByteReader reader)
    {
        if (tag == OfNodeTag)
        {
            return ReadOfNode(ref reader);
        }

        if (tag != OfTopicTag)
        {
            return ReadCommand(ref reader, tag) is { } command ? new ControllerRequest.Administer(command) : null;
        }

        UInt128 topicId = reader.UInt128();
        if (ReadCommand(ref reader, reader.Byte()) is not { } named)
        {
            return null;
        }

        // Zero is no id: without one the bytes have another tag.
        if (topicId == 0 || named.TopicByName is null)
        {
            reader.Fail();
        }

        return new ControllerRequest.Administer(named, topicId);
    }

    private static ControllerRequest.Administer? ReadOfNode(ref ByteReader reader)
    {
        UInt128 folder = reader.UInt128();
        var node = new NodeAsKnown(folder == 0 ? null : new StoreId(folder), reader.Int64());
        if (ReadCommand(ref reader, reader.Byte()) is not { } command)
        {
            return null;
        }

        // Who is in the cluster is expected no more.
        if (command.NodeByNumber is null || (node.Folder is not null && node.ExpectedUntilMs != 0))
        {
            reader.Fail();
        }

        return new ControllerRequest.Administer(command, Node: node);
    }

    private static void WriteCommand(ByteWriter writer, AdminCommand command)
    {
        switch (command)
        {
            case AdminCommand.CreateTopic create:
                writer.Byte(2);
                writer.Text(create.Name);
                writer.Int32(create.Partitions);
                writer.Int32(create.ReplicationFactor);
                WriteAssignments(writer, create.Assignments);
                ClusterCodec.WriteConfigs(writer, create.Configs);
                writer.Bool(create.ValidateOnly);
                writer.Bool(create.Internal);
                break;
            case AdminCommand.DeleteTopic delete:
                writer.Byte(3);
                writer.Text(delete.Name);
                writer.UInt128(delete.Id);
                break;
            case AdminCommand.AddPartitions add:
                writer.Byte(4);
                writer.Text(add.Topic);
                writer.Int32(add.TotalCount);
                WriteAssignments(writer, add.Assignments);
                writer.Bool(add.ValidateOnly);
                break;
            case AdminCommand.SetTopicConfigs set:
                writer.Byte(5);
                writer.Text(set.Topic);
                writer.Int32(set.Changes.Count);
                foreach ((string name, string? value) in set.Changes)
                {
                    writer.Text(name);
                    writer.OptionalText(value);
                }

                writer.Bool(set.Replace);
                writer.Bool(set.ValidateOnly);
                break;
            case AdminCommand.TransferLeadership transfer:
                writer.Byte(6);
                writer.Text(transfer.Topic);
                writer.Int32(transfer.Partition);
                writer.Node(transfer.To);
                break;
            case AdminCommand.AllocateProducerIds allocate:
                writer.Byte(7);
                writer.Int32(allocate.Count);
                break;
            case AdminCommand.Reassign reassign:
                writer.Byte(21);
                writer.Text(reassign.Topic);
                writer.Int32(reassign.Partition);
                writer.Bool(reassign.To is null);
                WriteNodes(writer, reassign.To ?? []);
                break;
            case AdminCommand.ExpectNode expect:
                writer.Byte(30);
                writer.Node(expect.Node);
                break;
            case AdminCommand.DrainNode drain:
                writer.Byte(31);
                writer.Node(drain.Node);
                writer.Bool(drain.Cancel);
                break;
            case AdminCommand.RemoveNode remove:
                writer.Byte(32);
                writer.Node(remove.Node);
                writer.Bool(remove.Lost);
                break;
            case AdminCommand.Balance balance:
                writer.Byte(33);
                writer.Bool(balance.Cancel);
                break;
            default:
                throw new InvariantViolationException($"{command.GetType().Name} is not the controller's.");
        }
    }

    private static AdminCommand? ReadCommand(ref ByteReader reader, byte tag) => tag switch
    {
        2 => new AdminCommand.CreateTopic(
            reader.Text(), reader.Int32(), reader.Int32(), ReadAssignments(ref reader), ClusterCodec.ReadConfigs(ref reader), reader.Bool(), reader.Bool()),
        3 => new AdminCommand.DeleteTopic(reader.Text(), reader.UInt128()),
        4 => new AdminCommand.AddPartitions(reader.Text(), reader.Int32(), ReadAssignments(ref reader), reader.Bool()),
        5 => new AdminCommand.SetTopicConfigs(reader.Text(), ReadChanges(ref reader), reader.Bool(), reader.Bool()),
        6 => new AdminCommand.TransferLeadership(reader.Text(), reader.Int32(), reader.Node()),
        7 => new AdminCommand.AllocateProducerIds(reader.Int32()),
        21 => ReadReassign(ref reader),
        30 => new AdminCommand.ExpectNode(reader.Node()),
        31 => new AdminCommand.DrainNode(reader.Node(), reader.Bool()),
        32 => new AdminCommand.RemoveNode(reader.Node(), reader.Bool()),
        33 => new AdminCommand.Balance(reader.Bool()),
        _ => null,
    };

    private static void WriteAssignments(ByteWriter writer, ImmutableArray<ImmutableArray<NodeId>> assignments)
    {
        writer.Int32(assignments.Length);
        foreach (ImmutableArray<NodeId> nodes in assignments)
        {
            WriteNodes(writer, nodes);
        }
    }

    private static void WriteNodes(ByteWriter writer, ImmutableArray<NodeId> nodes)
    {
        writer.Int32(nodes.Length);
        foreach (NodeId node in nodes)
        {
            writer.Node(node);
        }
    }

    private static AdminCommand.Reassign ReadReassign(ref ByteReader reader)
    {
        string topic = reader.Text();
        int partition = reader.Int32();
        bool cancels = reader.Bool();
        ImmutableArray<NodeId> nodes = ReadNodes(ref reader);
        if (cancels && nodes.Length > 0)
        {
            reader.Fail();
        }

        return new AdminCommand.Reassign(topic, partition, cancels ? null : nodes);
    }

    private static ImmutableArray<NodeId> ReadNodes(ref ByteReader reader)
    {
        int count = reader.Count(bytesEachMin: 4);
        ImmutableArray<NodeId>.Builder nodes = ImmutableArray.CreateBuilder<NodeId>(count);
        for (int n = 0; n < count; n++)
        {
            nodes.Add(reader.Node());
        }

        return nodes.ToImmutable();
    }

    private static ImmutableArray<ImmutableArray<NodeId>> ReadAssignments(ref ByteReader reader)
    {
        int count = reader.Count(bytesEachMin: 4);
        ImmutableArray<ImmutableArray<NodeId>>.Builder assignments = ImmutableArray.CreateBuilder<ImmutableArray<NodeId>>(count);
        for (int i = 0; i < count; i++)
        {
            assignments.Add(ReadNodes(ref reader));
        }

        return assignments.ToImmutable();
    }

    private static ImmutableSortedDictionary<string, string?> ReadChanges(ref ByteReader reader)
    {
        ImmutableSortedDictionary<string, string?>.Builder changes =
            ImmutableSortedDictionary.CreateBuilder<string, string?>(StringComparer.Ordinal);
        for (int count = reader.Count(bytesEachMin: 5); count > 0; count--)
        {
            string name = reader.Text();
            string? value = reader.OptionalText();
            if (!changes.TryAdd(name, value))
            {
                reader.Fail();
            }
        }

        return changes.ToImmutable();
    }
}
