using System.Buffers.Binary;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Leadership;
using RaftMq.Broker.Peers;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Raft;
using RaftMq.Server.Peers;
using RaftMq.Storage;
using RaftMq.Storage.Log;

namespace RaftMq.Fuzz.Formats;

/// <summary>
/// What one node sends to another once they know each other: the header that stands before each frame, the frame, its messages, and what travels
/// in their bodies. There is one form of everything: what is read is written again as it was.
/// </summary>
internal sealed class PeerFrameFormat : FuzzFormat
{
    private const int MessageHeaderBytes = 12;

    private readonly ByteWriter _scratch = new();
    private readonly List<PeerMessage> _messages = [];

    public override string Name => "peer-frames";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Broker.Peers.PeerCodec", "RaftMq.Server.Peers.PeerFrameHeader", "RaftMq.Broker.Encoding.ByteReader",
        "RaftMq.Storage.Log.StoredEntry", "RaftMq.Storage.Log.StoredBatch", "RaftMq.Storage.Log.EntryLayout", "RaftMq.Raft.MembershipCodec",
    ];

    public override IEnumerable<byte[]> Seeds()
    {
        List<byte[]> log = Samples.Log(firstIndex: 10, 8, term: 3);
        Entry[] entries = [.. log.Select(Samples.AsEntry)];
        RaftMessage[] raft =
        [
            new PreVoteRequest(new Term(5), new LogIndex(9), new Term(4)),
            new PreVoteReply(new Term(5), Granted: true),
            new VoteRequest(new Term(5), new LogIndex(9), new Term(4), LeadershipTransfer: true),
            new VoteReply(new Term(5), Granted: false),
            new AppendEntries(new Term(6), new LogIndex(9), new Term(3), new LogIndex(8), []),
            new AppendEntries(new Term(6), new LogIndex(9), new Term(3), new LogIndex(8), entries),
            new AppendAccepted(new Term(5), new LogIndex(12)),
            new AppendRejected(new Term(5), new LogIndex(12), new LogIndex(7), new Term(2)),
            new Heartbeat(new Term(5), new LogIndex(12), 77),
            new HeartbeatReply(new Term(5), 77, new LogIndex(12)),
            new InstallSnapshot(new Term(5), new LogIndex(12), new Term(4), Samples.Joint()),
            new SnapshotReply(new Term(5), new LogIndex(12), Installed: true),
            new TimeoutNow(new Term(5)),
            new Quiesce(new Term(5), new LogIndex(12), new LogIndex(12)),
            new Wake(new Term(5)),
        ];
        PeerMessage[] messages =
        [
            PeerMessage.Alive.Instance,
            new PeerMessage.Leading([new GroupLead(Samples.Group, 4, [new NodeId(1), new NodeId(2)]), new GroupLead(new GroupId(3), 1, [])]),
            new PeerMessage.Formation(Samples.Group, Samples.Replicas(1, 2, 3)),
            new PeerMessage.Member(0xC0FFEE),
            new PeerMessage.Faults(LeaderFaults.SlowDisk, [new GroupFaults(Samples.Group, LeaderFaults.DiskFull | LeaderFaults.Damaged)]),
            new PeerMessage.Hearing([new NodeId(1), new NodeId(3)], [new NodeId(4)]),
            new PeerMessage.Request(9, new byte[] { 1, 7, 1, 0, 0, 0 }),
            new PeerMessage.Response(9, AdminCodec.Encode(new ControllerResponse(new AdminResult(AdminOutcome.Done), new LogIndex(3)))),
            new PeerMessage.Introduction(0xC0FFEE, Samples.Group, new NodeId(2), [new PeerPlace(new NodeId(2), "node2.example", 7070), new PeerPlace(new NodeId(3), "", 0)]),
            new PeerMessage.Introduction(0xC0FFEE, Samples.Group, null, []),
            new PeerMessage.Removed(0xC0FFEE, Samples.Replica(4)),
            new PeerMessage.SnapshotWanted(Samples.Group, new LogIndex(12), 4096),
            new PeerMessage.SnapshotChunk(Samples.Group, new LogIndex(12), 4096, 9000, new byte[40]),
            new PeerMessage.RepairWanted(Samples.Group, new LogIndex(10), new LogIndex(17)),
            new PeerMessage.RepairEntries(Samples.Group, new LogIndex(10), RepairAnswer.Entries, LogIndex.Zero, entries),
            new PeerMessage.RepairEntries(Samples.Group, new LogIndex(10), RepairAnswer.Behind, new LogIndex(17), []),
            .. raft.Select(message => new PeerMessage.ForGroup(Samples.Group, message)),
        ];
        foreach (PeerMessage message in messages)
        {
            yield return Stream(PeerLane.Control, [message]);
        }

        yield return Stream(PeerLane.Append, messages);
        yield return Stream(PeerLane.Bulk, []);
    }

    public override void Run(byte[] input)
    {
        if (input.Length < PeerFrameHeader.Bytes || !PeerFrameHeader.TryRead(input, out PeerFrameHeader header))
        {
            return;
        }

        Oracle.Holds(header.Length is > 0 and <= PeerFrame.BytesMax, "a frame's length is possible");
        ReadOnlyMemory<byte> frame = input.AsMemory(PeerFrameHeader.Bytes);
        if (!header.Matches(frame.Span[..Math.Min(header.Length, frame.Length)]))
        {
            // The receiver closes the connection; the frame is read all the same, as if the checksum were right.
            _ = frame;
        }

        _messages.Clear();
        bool read = PeerCodec.TryRead(frame, out PeerSender sender, _messages);
        ReadDone();
        if (read)
        {
            Oracle.Same(frame.Span, Frame(sender, _messages), "a frame that was read is written as it was");
            _messages.ForEach(Check);
        }
    }

    public override void Repair(byte[] input, FuzzRandom random)
    {
        if (input.Length < PeerFrameHeader.Bytes + PeerCodec.FrameHeaderBytes)
        {
            return;
        }

        Span<byte> frame = input.AsSpan(PeerFrameHeader.Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Crc32C.Compute(frame[8..PeerCodec.FrameHeaderBytes]));
        Span<byte> messages = frame[PeerCodec.FrameHeaderBytes..];
        while (messages.Length >= MessageHeaderBytes)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(messages);
            int head = BinaryPrimitives.ReadInt32LittleEndian(messages[8..]);
            if (length < MessageHeaderBytes - 4 || length > messages.Length - 4 || head < 1 || head > length - (MessageHeaderBytes - 4))
            {
                break;
            }

            Checksums.MendEntries(messages[(MessageHeaderBytes + head)..(length + 4)]);
            BinaryPrimitives.WriteUInt32LittleEndian(messages[4..], Crc32C.Compute(messages.Slice(MessageHeaderBytes, head)));
            messages = messages[(length + 4)..];
        }

        MendStream(input);
    }

    /// <summary>A frame whose checksums were not mended holds nothing that was not sent.</summary>
    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        List<PeerMessage> read = [];
        if (mutant.Length >= PeerFrameHeader.Bytes && PeerFrameHeader.TryRead(mutant, out PeerFrameHeader header)
            && header.Matches(mutant.AsSpan(PeerFrameHeader.Bytes))
            && PeerCodec.TryRead(mutant.AsMemory(PeerFrameHeader.Bytes), out _, read))
        {
            // Behind the covered part only bodies' CRCs remain, and all seeds' frames are shorter than that.
            Oracle.Same(seed, mutant, "a changed frame is refused");
        }
    }

    private static void Check(PeerMessage message)
    {
        switch (message)
        {
            case PeerMessage.ForGroup { Message: InstallSnapshot install }:
                // The follower stores it in its checkpoint.
                Oracle.Holds(
                    MembershipCodec.TryRead(MembershipBytes(install.Membership), out _), "a snapshot's membership is one that can be stored");
                break;
            case PeerMessage.ForGroup { Message: AppendEntries append }:
                foreach (Entry entry in append.Entries)
                {
                    Oracle.Holds(StoredEntry.TryReadWhole(entry.Bytes.Span, out _), "an entry that was read is whole");
                    Oracle.Holds(entry.Kind == EntryKind.Membership == (entry.Membership is not null), "a membership entry has a membership");
                }

                break;
        }
    }

    private static byte[] MembershipBytes(Membership membership)
    {
        int[] counts = [membership.Voters.Count, membership.OutgoingVoters.Count, membership.Learners.Count];
        byte[] bytes = new byte[MembershipCodec.SizeOf(membership)];
        if (counts.Any(count => count > MembershipCodec.MembersMax))
        {
            return [];
        }

        (bytes[0], bytes[1], bytes[2], bytes[3]) = (MembershipCodec.Version, (byte)counts[0], (byte)counts[1], (byte)counts[2]);
        int at = 4;
        foreach (ReplicaId replica in membership.Voters.Concat(membership.OutgoingVoters).Concat(membership.Learners))
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), replica.Node.Value);
            BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(at + 4), replica.Store.Value);
            at += 20;
        }

        return bytes;
    }

    private byte[] Stream(PeerLane lane, IEnumerable<PeerMessage> messages)
    {
        byte[] frame = Frame(new PeerSender(Samples.Replica(2), new BootNumber(44)), messages).ToArray();
        byte[] bytes = new byte[PeerFrameHeader.Bytes + frame.Length];
        PeerFrameHeader.Write(bytes, lane, frame);
        frame.CopyTo(bytes, PeerFrameHeader.Bytes);
        return bytes;
    }

    private ReadOnlySpan<byte> Frame(PeerSender sender, IEnumerable<PeerMessage> messages)
    {
        int size = PeerCodec.FrameHeaderBytes + messages.Sum(PeerCodec.SizeBound);
        PeerFrame frame = new(new byte[size]);
        PeerCodec.WriteFrameHeader(frame, sender);
        foreach (PeerMessage message in messages)
        {
            PeerCodec.Write(frame, message, _scratch);
        }

        return frame.Written.Span;
    }

    private static void MendStream(byte[] input)
    {
        ReadOnlySpan<byte> frame = input.AsSpan(PeerFrameHeader.Bytes);
        PeerLane lane = (PeerLane)input[4] > PeerLane.Bulk ? PeerLane.Control : (PeerLane)input[4];
        PeerFrameHeader.Write(input, lane, frame);
    }
}
