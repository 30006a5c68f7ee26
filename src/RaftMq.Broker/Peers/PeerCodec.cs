using System.Buffers.Binary;
using RaftMq.Broker.Digests;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Raft;
using RaftMq.Storage;
using RaftMq.Storage.Log;

namespace RaftMq.Broker.Peers;

/// <summary>Who sent a frame.</summary>
internal readonly record struct PeerSender(ReplicaId Replica, BootNumber Boot);

/// <summary>
/// The peers' protocol in bytes, little-endian. A frame is a header and messages up to its end:
/// <code>
/// frame:   u8 version (1) | u8[3] zero | u32 CRC-32C of the next 28 bytes | i32 node | u128 store id | i64 boot number | messages
/// message: u32 length of all that follows | u32 CRC-32C of head | u32 head length | head | entries
/// head:    u8 kind | fields
/// </code>
/// Only append messages and answers to repairs have entries behind the head; each entry is guarded by its own CRCs (<see cref="EntryLayout"/>, and the record
/// batch's for data), which are checked before the message is believed.
/// </summary>
internal static class PeerCodec
{
    public const byte Version = 1;
    public const int FrameHeaderBytes = 36;
    private const int MessageHeaderBytes = 12;

    private const byte KindAlive = 1;
    private const byte KindLeading = 2;
    private const byte KindFormation = 3;
    private const byte KindRequest = 4;
    private const byte KindResponse = 5;
    private const byte KindSnapshotWanted = 6;
    private const byte KindSnapshotChunk = 7;
    private const byte KindMember = 8;
    private const byte KindFaults = 9;
    private const byte KindIntroduction = 10;
    private const byte KindRemoved = 11;
    private const byte KindRepairWanted = 12;
    private const byte KindRepairEntries = 13;
    private const byte KindStateDigested = 14;
    private const byte KindStateDiverged = 15;
    private const byte KindHearing = 16;

    /// <summary>Raft messages are numbered from here on.</summary>
    private const byte KindRaft = 32;

    public static void WriteFrameHeader(PeerFrame frame, in PeerSender sender)
    {
        Invariant.Holds(frame.Length == 0);
        Span<byte> header = frame.Buffer.AsSpan(0, FrameHeaderBytes);
        header.Clear();
        header[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], sender.Replica.Node.Value);
        BinaryPrimitives.WriteUInt128LittleEndian(header[12..], sender.Replica.Store.Value);
        BinaryPrimitives.WriteInt64LittleEndian(header[28..], sender.Boot.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Crc32C.Compute(header[8..]));
        frame.Length = FrameHeaderBytes;
    }

    /// <summary>Bytes that a message takes in a frame, at most: enough to decide whether it still fits.</summary>
    public static int SizeBound(PeerMessage message) => MessageHeaderBytes + message switch
    {
        PeerMessage.ForGroup { Message: AppendEntries append } => 96 + EntryBytes(append.Entries),
        PeerMessage.RepairEntries repair => 96 + EntryBytes(repair.Entries),
        PeerMessage.ForGroup { Message: InstallSnapshot install } => 96 + (ReplicaCount(install.Membership) * 20),
        PeerMessage.ForGroup => 96,
        PeerMessage.Leading leading => 16 + leading.Groups.Sum(g => 32 + (g.InSync.Count * 4)),
        PeerMessage.Faults faults => 16 + (faults.Groups.Count * 17),
        PeerMessage.Hearing hearing => 16 + ((hearing.Heard.Count + hearing.Missed.Count) * 4),
        PeerMessage.Formation formation => 32 + (formation.Voters.Count * 20),
        PeerMessage.Introduction introduction => 64 + introduction.Nodes.Sum(n => 12 + System.Text.Encoding.UTF8.GetByteCount(n.Host)),
        PeerMessage.Request request => 24 + request.Body.Length,
        PeerMessage.Response response => 24 + response.Body.Length,
        PeerMessage.SnapshotChunk chunk => 64 + chunk.Bytes.Length,
        _ => 64,
    };

    /// <summary>Adds a message at the end of the frame, which has room for <see cref="SizeBound"/>.</summary>
    /// <param name="scratch">For the head; cleared here.</param>
    public static void Write(PeerFrame frame, PeerMessage message, ByteWriter scratch)
    {
        scratch.Clear();
        WriteHead(scratch, message);
        ReadOnlySpan<byte> head = scratch.Written;
        Span<byte> free = frame.Free;
        BinaryPrimitives.WriteUInt32LittleEndian(free[4..], Crc32C.Compute(head));
        BinaryPrimitives.WriteInt32LittleEndian(free[8..], head.Length);
        head.CopyTo(free[MessageHeaderBytes..]);
        int length = MessageHeaderBytes + head.Length;
        IReadOnlyList<Entry> entries = EntriesOf(message);
        for (int i = 0; i < entries.Count; i++)
        {
            entries[i].Bytes.Span.CopyTo(free[length..]);
            length += entries[i].Bytes.Length;
        }

        BinaryPrimitives.WriteInt32LittleEndian(free, length - 4);
        frame.Length += length;
    }

    /// <summary>
    /// Reads a received frame. Any bytes may come in: false means that it is not a whole, undamaged frame of this version and the
    /// connection it came over is not to be trusted. Entries and bodies point into the frame.
    /// </summary>
    public static bool TryRead(ReadOnlyMemory<byte> frame, out PeerSender sender, List<PeerMessage> messages)
    {
        sender = default;
        ReadOnlySpan<byte> bytes = frame.Span;
        if (bytes.Length < FrameHeaderBytes || bytes[0] != Version || bytes[1..4].ContainsAnyExcept((byte)0)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Crc32C.Compute(bytes[8..FrameHeaderBytes]))
        {
            return false;
        }

        var header = new ByteReader(bytes[8..FrameHeaderBytes]);
        sender = new PeerSender(header.Replica(), new BootNumber(header.Int64()));
        int position = FrameHeaderBytes;
        while (position < bytes.Length)
        {
            if (bytes.Length - position < MessageHeaderBytes)
            {
                return false;
            }

            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[position..]);
            int headLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[(position + 8)..]);
            if (length < MessageHeaderBytes - 4 || length > bytes.Length - position - 4
                || headLength < 1 || headLength > length - (MessageHeaderBytes - 4))
            {
                return false;
            }

            ReadOnlyMemory<byte> head = frame.Slice(position + MessageHeaderBytes, headLength);
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[(position + 4)..]) != Crc32C.Compute(head.Span))
            {
                return false;
            }

            int end = position + 4 + length;
            int entriesAt = position + MessageHeaderBytes + headLength;
            if (ReadMessage(head, frame[entriesAt..end]) is not { } message)
            {
                return false;
            }

            messages.Add(message);
            position = end;
        }

        return true;
    }

    private static IReadOnlyList<Entry> EntriesOf(PeerMessage message) => message switch
    {
        PeerMessage.ForGroup { Message: AppendEntries append } => append.Entries,
        PeerMessage.RepairEntries repair => repair.Entries,
        _ => [],
    };

    private static void WriteHead(ByteWriter writer, PeerMessage message)
    {
        switch (message)
        {
            case PeerMessage.ForGroup forGroup:
                WriteRaft(writer, forGroup.Group, forGroup.Message);
                break;
            case PeerMessage.Alive:
                writer.Byte(KindAlive);
                break;
            case PeerMessage.Leading leading:
                writer.Byte(KindLeading);
                writer.Int32(leading.Groups.Count);
                foreach (GroupLead lead in leading.Groups)
                {
                    writer.UInt128(lead.Group.Value);
                    writer.Int32(lead.Epoch);
                    WriteNodes(writer, lead.InSync);
                }

                break;
            case PeerMessage.Formation formation:
                writer.Byte(KindFormation);
                writer.UInt128(formation.ControllerGroup.Value);
                WriteReplicas(writer, formation.Voters);
                break;
            case PeerMessage.Member member:
                writer.Byte(KindMember);
                writer.UInt128(member.ClusterId);
                break;
            case PeerMessage.Introduction introduction:
                writer.Byte(KindIntroduction);
                writer.UInt128(introduction.ClusterId);
                writer.UInt128(introduction.ControllerGroup.Value);
                writer.Bool(introduction.ControllerLeader is not null);
                if (introduction.ControllerLeader is { } controllerLeader)
                {
                    writer.Node(controllerLeader);
                }

                writer.Int32(introduction.Nodes.Count);
                foreach (PeerPlace place in introduction.Nodes)
                {
                    writer.Node(place.Node);
                    writer.Text(place.Host);
                    writer.Int32(place.Port);
                }

                break;
            case PeerMessage.Removed removed:
                writer.Byte(KindRemoved);
                writer.UInt128(removed.ClusterId);
                writer.Replica(removed.Whom);
                break;
            case PeerMessage.Faults faults:
                writer.Byte(KindFaults);
                writer.Byte((byte)faults.Node);
                writer.Int32(faults.Groups.Count);
                foreach (GroupFaults group in faults.Groups)
                {
                    writer.UInt128(group.Group.Value);
                    writer.Byte((byte)group.Faults);
                }

                break;
            case PeerMessage.Hearing hearing:
                writer.Byte(KindHearing);
                WriteNodes(writer, hearing.Heard);
                WriteNodes(writer, hearing.Missed);
                break;
            case PeerMessage.Request request:
                writer.Byte(KindRequest);
                writer.Int64(request.Id);
                writer.Bytes(request.Body.Span);
                break;
            case PeerMessage.Response response:
                writer.Byte(KindResponse);
                writer.Int64(response.Id);
                writer.Bytes(response.Body.Span);
                break;
            case PeerMessage.SnapshotWanted wanted:
                writer.Byte(KindSnapshotWanted);
                writer.UInt128(wanted.Group.Value);
                writer.Int64(wanted.SnapshotIndex.Value);
                writer.Int64(wanted.Position);
                break;
            case PeerMessage.SnapshotChunk chunk:
                writer.Byte(KindSnapshotChunk);
                writer.UInt128(chunk.Group.Value);
                writer.Int64(chunk.SnapshotIndex.Value);
                writer.Int64(chunk.Position);
                writer.Int64(chunk.TotalBytes);
                writer.Bytes(chunk.Bytes.Span);
                break;
            case PeerMessage.StateDigested said:
                WriteDigest(writer, KindStateDigested, said.Group, said.Digest);
                break;
            case PeerMessage.StateDiverged said:
                WriteDigest(writer, KindStateDiverged, said.Group, said.Right);
                break;
            case PeerMessage.RepairWanted wanted:
                writer.Byte(KindRepairWanted);
                writer.UInt128(wanted.Group.Value);
                writer.Int64(wanted.From.Value);
                writer.Int64(wanted.To.Value);
                break;
            case PeerMessage.RepairEntries repair:
                writer.Byte(KindRepairEntries);
                writer.UInt128(repair.Group.Value);
                writer.Int64(repair.From.Value);
                writer.Byte((byte)repair.Answer);
                writer.Int64(repair.LogBase.Value);
                writer.Int32(repair.Entries.Count);
                break;
            default:
                throw new InvariantViolationException($"No encoding for {message.GetType().Name}.");
        }
    }

    private static void WriteRaft(ByteWriter writer, GroupId group, RaftMessage message)
    {
        byte kind = message switch
        {
            PreVoteRequest => 0,
            PreVoteReply => 1,
            VoteRequest => 2,
            VoteReply => 3,
            AppendEntries => 4,
            AppendAccepted => 5,
            AppendRejected => 6,
            Heartbeat => 7,
            HeartbeatReply => 8,
            InstallSnapshot => 9,
            SnapshotReply => 10,
            TimeoutNow => 11,
            Quiesce => 12,
            Wake => 13,
            HealQuery => 14,
            HealThrough => 15,
            TermQuery => 16,
            TermAnswer => 17,
            _ => throw new InvariantViolationException($"No encoding for {message.GetType().Name}."),
        };
        writer.Byte((byte)(KindRaft + kind));
        writer.UInt128(group.Value);
        writer.Int32(message.Term.Value);
        switch (message)
        {
            case PreVoteRequest m:
                writer.Int64(m.LastIndex.Value);
                writer.Int32(m.LastTerm.Value);
                break;
            case PreVoteReply m:
                writer.Bool(m.Granted);
                writer.Bool(m.Abstains);
                break;
            case VoteRequest m:
                writer.Int64(m.LastIndex.Value);
                writer.Int32(m.LastTerm.Value);
                writer.Bool(m.LeadershipTransfer);
                break;
            case VoteReply m:
                writer.Bool(m.Granted);
                writer.Bool(m.Abstains);
                break;
            case AppendEntries m:
                writer.Int64(m.PreviousIndex.Value);
                writer.Int32(m.PreviousTerm.Value);
                writer.Int64(m.Commit.Value);
                writer.Int32(m.Entries.Count);
                break;
            case AppendAccepted m:
                writer.Int64(m.DurableIndex.Value);
                break;
            case AppendRejected m:
                writer.Int64(m.PreviousIndex.Value);
                writer.Int64(m.HintIndex.Value);
                writer.Int32(m.ConflictTerm.Value);
                break;
            case Heartbeat m:
                writer.Int64(m.Commit.Value);
                writer.Int64(m.ReadRound);
                break;
            case HeartbeatReply m:
                writer.Int64(m.ReadRound);
                writer.Int64(m.DurableIndex.Value);
                break;
            case InstallSnapshot m:
                writer.Int64(m.SnapshotIndex.Value);
                writer.Int32(m.SnapshotTerm.Value);
                WriteReplicas(writer, m.Membership.Voters);
                WriteReplicas(writer, m.Membership.OutgoingVoters);
                WriteReplicas(writer, m.Membership.Learners);
                break;
            case SnapshotReply m:
                writer.Int64(m.SnapshotIndex.Value);
                writer.Bool(m.Installed);
                break;
            case Quiesce m:
                writer.Int64(m.LastIndex.Value);
                writer.Int64(m.Commit.Value);
                break;
            case HealQuery m:
                writer.Int64(m.AskerBoot.Value);
                break;
            case HealThrough m:
                writer.Int64(m.AskerBoot.Value);
                writer.Int64(m.LastIndex.Value);
                break;
            case TermQuery m:
                writer.Int64(m.AskerBoot.Value);
                break;
            case TermAnswer m:
                writer.Int64(m.AskerBoot.Value);
                break;
        }
    }

    private static PeerMessage? ReadMessage(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> entries)
    {
        var reader = new ByteReader(head.Span);
        byte kind = reader.Byte();
        if (kind >= KindRaft)
        {
            return ReadRaft(ref reader, kind, entries);
        }

        PeerMessage? message = kind switch
        {
            KindAlive => PeerMessage.Alive.Instance,
            KindLeading => ReadLeading(ref reader),
            KindFormation => new PeerMessage.Formation(new GroupId(reader.UInt128()), ReadReplicas(ref reader)),
            KindMember => new PeerMessage.Member(reader.UInt128()),
            KindFaults => ReadFaults(ref reader),
            KindHearing => new PeerMessage.Hearing(ReadNodes(ref reader), ReadNodes(ref reader)),
            KindIntroduction => ReadIntroduction(ref reader),
            KindRemoved => new PeerMessage.Removed(reader.UInt128(), reader.Replica()),
            KindRequest => new PeerMessage.Request(reader.Int64(), ReadBody(ref reader, head)),
            KindResponse => new PeerMessage.Response(reader.Int64(), ReadBody(ref reader, head)),
            KindSnapshotWanted => new PeerMessage.SnapshotWanted(
                new GroupId(reader.UInt128()), new LogIndex(reader.Int64()), reader.Int64()),
            KindSnapshotChunk => new PeerMessage.SnapshotChunk(
                new GroupId(reader.UInt128()), new LogIndex(reader.Int64()), reader.Int64(), reader.Int64(),
                ReadBody(ref reader, head)),
            KindStateDigested => new PeerMessage.StateDigested(new GroupId(reader.UInt128()), ReadDigest(ref reader)),
            KindStateDiverged => new PeerMessage.StateDiverged(new GroupId(reader.UInt128()), ReadDigest(ref reader)),
            KindRepairWanted => new PeerMessage.RepairWanted(new GroupId(reader.UInt128()), ReadIndex(ref reader), ReadIndex(ref reader)),
            KindRepairEntries => ReadRepairEntries(ref reader, ref entries),
            _ => null,
        };
        return reader.AtEnd && entries.IsEmpty ? message : null;
    }

    private static PeerMessage.ForGroup? ReadRaft(ref ByteReader reader, byte kind, ReadOnlyMemory<byte> entries)
    {
        var group = new GroupId(reader.UInt128());
        var term = new Term(reader.Int32());
        if (term < Term.Zero)
        {
            return null;
        }

        RaftMessage? message = (kind - KindRaft) switch
        {
            0 => new PreVoteRequest(term, ReadIndex(ref reader), ReadTerm(ref reader)),
            1 => new PreVoteReply(term, reader.Bool(), reader.Bool()),
            2 => new VoteRequest(term, ReadIndex(ref reader), ReadTerm(ref reader), reader.Bool()),
            3 => new VoteReply(term, reader.Bool(), reader.Bool()),
            4 => ReadAppend(ref reader, group, term, ref entries),
            5 => new AppendAccepted(term, ReadIndex(ref reader)),
            6 => new AppendRejected(term, ReadIndex(ref reader), ReadIndex(ref reader), ReadTerm(ref reader)),
            7 => new Heartbeat(term, ReadIndex(ref reader), reader.Int64()),
            8 => new HeartbeatReply(term, reader.Int64(), ReadIndex(ref reader)),
            9 => new InstallSnapshot(term, ReadIndex(ref reader), ReadTerm(ref reader), ReadMembership(ref reader)),
            10 => new SnapshotReply(term, ReadIndex(ref reader), reader.Bool()),
            11 => new TimeoutNow(term),
            12 => new Quiesce(term, ReadIndex(ref reader), ReadIndex(ref reader)),
            13 => new Wake(term),
            14 => new HealQuery(term, new BootNumber(reader.Int64())),
            15 => new HealThrough(term, new BootNumber(reader.Int64()), ReadIndex(ref reader)),
            16 => new TermQuery(term, new BootNumber(reader.Int64())),
            17 => new TermAnswer(term, new BootNumber(reader.Int64())),
            _ => null,
        };
        return message is not null && reader.AtEnd && entries.IsEmpty ? new PeerMessage.ForGroup(group, message) : null;
    }

    private static AppendEntries? ReadAppend(
        ref ByteReader reader, GroupId group, Term term, ref ReadOnlyMemory<byte> bytes)
    {
        LogIndex previous = ReadIndex(ref reader);
        Term previousTerm = ReadTerm(ref reader);
        LogIndex commit = ReadIndex(ref reader);
        return ReadEntries(ref reader, group, previous.Next, previousTerm, term, ref bytes) is { } entries
            ? new AppendEntries(term, previous, previousTerm, commit, entries)
            : null;
    }

    private static PeerMessage.RepairEntries? ReadRepairEntries(ref ByteReader reader, ref ReadOnlyMemory<byte> bytes)
    {
        var group = new GroupId(reader.UInt128());
        LogIndex from = ReadIndex(ref reader);
        var answer = (RepairAnswer)reader.Byte();
        LogIndex logBase = ReadIndex(ref reader);
        return ReadEntries(ref reader, group, from, Term.Zero, new Term(int.MaxValue), ref bytes) is { } entries
            && answer <= RepairAnswer.Behind && (answer == RepairAnswer.Entries) == (entries.Length > 0)
            ? new PeerMessage.RepairEntries(group, from, answer, logBase, entries)
            : null;
    }

    /// <summary>Their number, and they themselves: whole, in order, of terms that do not fall.</summary>
    private static Entry[]? ReadEntries(
        ref ByteReader reader, GroupId group, LogIndex expected, Term newest, Term term, ref ReadOnlyMemory<byte> bytes)
    {
        int count = reader.Int32();
        if (reader.Failed || count < 0 || (long)count * EntryLayout.HeaderBytes > bytes.Length)
        {
            return null;
        }

        var entries = new Entry[count];
        for (int i = 0; i < count; i++)
        {
            if (!TryReadEntry(bytes, group, out Entry entry)
                || entry.Index != expected || entry.Term < newest || entry.Term > term)
            {
                return null;
            }

            entries[i] = entry;
            bytes = bytes[entry.SizeBytes..];
            (expected, newest) = (expected.Next, entry.Term);
        }

        return entries;
    }

    private static bool TryReadEntry(ReadOnlyMemory<byte> bytes, GroupId group, out Entry entry)
    {
        // A membership of another version, or not one at all: the frame is not believed.
        entry = default;
        return StoredEntry.TryReadWhole(bytes.Span, out EntryHeader header)
            && header.Group == group
            && StoredEntry.TryToEntry(bytes[..header.LengthBytes], out entry);
    }

    private static PeerMessage.Leading ReadLeading(ref ByteReader reader)
    {
        int count = reader.Count(bytesEachMin: 24);
        var groups = new List<GroupLead>(count);
        for (int i = 0; i < count; i++)
        {
            var group = new GroupId(reader.UInt128());
            int epoch = reader.Int32();
            groups.Add(new GroupLead(group, epoch, ReadNodes(ref reader)));
        }

        return new PeerMessage.Leading(groups);
    }

    /// <summary>Faults that a newer version knows are faults all the same.</summary>
    private static PeerMessage.Faults ReadFaults(ref ByteReader reader)
    {
        var node = (LeaderFaults)reader.Byte();
        int count = reader.Count(bytesEachMin: 17);
        var groups = new GroupFaults[count];
        for (int i = 0; i < count; i++)
        {
            groups[i] = new GroupFaults(new GroupId(reader.UInt128()), (LeaderFaults)reader.Byte());
        }

        return new PeerMessage.Faults(node, groups);
    }

    private static PeerMessage.Introduction ReadIntroduction(ref ByteReader reader)
    {
        UInt128 cluster = reader.UInt128();
        var group = new GroupId(reader.UInt128());
        NodeId? leader = reader.Bool() ? reader.Node() : null;
        int count = reader.Count(bytesEachMin: 12);
        var nodes = new PeerPlace[count];
        for (int i = 0; i < count; i++)
        {
            nodes[i] = new PeerPlace(reader.Node(), reader.Text(), reader.Int32());
        }

        return new PeerMessage.Introduction(cluster, group, leader, nodes);
    }

    private static void WriteDigest(ByteWriter writer, byte kind, GroupId group, in StateDigest digest)
    {
        writer.Byte(kind);
        writer.UInt128(group.Value);
        writer.Int64(digest.Index.Value);
        writer.Int32(digest.Version);
        writer.Int64(unchecked((long)digest.Hash));
    }

    private static StateDigest ReadDigest(ref ByteReader reader) => new(ReadIndex(ref reader), reader.Int32(), unchecked((ulong)reader.Int64()));

    private static ReadOnlyMemory<byte> ReadBody(ref ByteReader reader, ReadOnlyMemory<byte> head)
    {
        int length = reader.Bytes().Length;
        return head.Slice(reader.Position - length, length);
    }

    private static void WriteNodes(ByteWriter writer, IReadOnlyList<NodeId> nodes)
    {
        writer.Int32(nodes.Count);
        foreach (NodeId node in nodes)
        {
            writer.Node(node);
        }
    }

    private static NodeId[] ReadNodes(ref ByteReader reader)
    {
        var nodes = new NodeId[reader.Count(bytesEachMin: 4)];
        for (int i = 0; i < nodes.Length; i++)
        {
            nodes[i] = reader.Node();
        }

        return nodes;
    }

    private static void WriteReplicas(ByteWriter writer, IReadOnlyList<ReplicaId> replicas)
    {
        writer.Int32(replicas.Count);
        foreach (ReplicaId replica in replicas)
        {
            writer.Replica(replica);
        }
    }

    private static ReplicaId[] ReadReplicas(ref ByteReader reader)
    {
        var replicas = new ReplicaId[reader.Count(bytesEachMin: 20)];
        for (int i = 0; i < replicas.Length; i++)
        {
            replicas[i] = reader.Replica();
        }

        return replicas;
    }

    /// <summary>The follower stores it: one that has no stored form is refused here, where a connection can still be closed for it.</summary>
    private static Membership ReadMembership(ref ByteReader reader)
    {
        var membership = new Membership(ReadReplicas(ref reader), ReadReplicas(ref reader), ReadReplicas(ref reader));
        if (!MembershipCodec.HasForm(membership))
        {
            reader.Fail();
        }

        return membership;
    }

    private static LogIndex ReadIndex(ref ByteReader reader) => new(NotNegative(ref reader, reader.Int64()));

    private static Term ReadTerm(ref ByteReader reader) => new((int)NotNegative(ref reader, reader.Int32()));

    private static long NotNegative(ref ByteReader reader, long value)
    {
        if (value < 0)
        {
            reader.Fail();
        }

        return value;
    }

    private static int ReplicaCount(Membership membership) =>
        membership.Voters.Count + membership.OutgoingVoters.Count + membership.Learners.Count;

    private static int EntryBytes(IReadOnlyList<Entry> entries)
    {
        int bytes = 0;
        for (int i = 0; i < entries.Count; i++)
        {
            bytes += entries[i].SizeBytes;
        }

        return bytes;
    }
}
