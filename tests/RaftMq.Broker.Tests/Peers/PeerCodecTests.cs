using RaftMq.Broker.Cluster;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Peers;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Peers;

/// <summary>The peers' protocol against everything that is not it.</summary>
public sealed class PeerCodecTests
{
    private static readonly ReplicaId Self = new(new NodeId(1), new StoreId(11));
    private static readonly ReplicaId Other = new(new NodeId(2), new StoreId(22));
    private static readonly PeerSender Sender = new(Other, new BootNumber(3));
    private static readonly Term T = new(5);
    private static readonly LogIndex I = new(77);

    private static readonly PeerMessage[] All =
    [
        PeerMessage.Alive.Instance,
        new PeerMessage.Leading([new GroupLead(new GroupId(9), 4, [new NodeId(1), new NodeId(2)])]),
        new PeerMessage.Formation(new GroupId(9), [Self, Other]),
        new PeerMessage.Request(8, new byte[] { 1, 2 }),
        new PeerMessage.Response(8, new byte[] { 3 }),
        new PeerMessage.SnapshotWanted(new GroupId(9), I, 5),
        new PeerMessage.SnapshotChunk(new GroupId(9), I, 5, 100, new byte[] { 6 }),
        Raft(new PreVoteRequest(T, I, T)),
        Raft(new PreVoteReply(T, true)),
        Raft(new VoteRequest(T, I, T, true)),
        Raft(new VoteReply(T, true)),
        Raft(new AppendEntries(T, I, T, I, [])),
        Raft(new AppendAccepted(T, I)),
        Raft(new AppendRejected(T, I, I, T)),
        Raft(new Heartbeat(T, I, 6)),
        Raft(new HeartbeatReply(T, 6, I)),
        Raft(new InstallSnapshot(T, I, T, Membership.Of(Self, Other))),
        Raft(new SnapshotReply(T, I, true)),
        Raft(new TimeoutNow(T)),
        Raft(new Quiesce(T, I, I)),
        Raft(new Wake(T)),
    ];

    [Fact]
    public void Every_message_comes_back_as_the_bytes_it_was()
    {
        foreach (PeerMessage message in All)
        {
            byte[] frame = Frame(message);
            var read = new List<PeerMessage>();
            Assert.True(PeerCodec.TryRead(frame, out PeerSender sender, read), message.ToString());
            Assert.Equal(Sender, sender);
            Assert.Equal(frame, Frame(Assert.Single(read)));
            Assert.True(frame.Length - PeerCodec.FrameHeaderBytes <= PeerCodec.SizeBound(message), message.ToString());
        }
    }

    [Fact]
    public void No_cut_frame_is_taken_for_a_whole_one()
    {
        foreach (PeerMessage message in All)
        {
            byte[] frame = Frame(message);
            for (int length = 0; length < frame.Length; length++)
            {
                // A header alone is a frame without messages.
                var read = new List<PeerMessage>();
                bool whole = PeerCodec.TryRead(frame.AsMemory(0, length), out _, read);
                Assert.Equal(length == PeerCodec.FrameHeaderBytes, whole);
                Assert.Empty(read);
            }
        }
    }

    [Fact]
    public void No_flipped_bit_is_believed()
    {
        foreach (PeerMessage message in All)
        {
            byte[] frame = Frame(message);
            for (int bit = 0; bit < frame.Length * 8; bit++)
            {
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(PeerCodec.TryRead(frame, out _, []), $"{message}, bit {bit}");
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void Indexes_and_terms_that_can_not_be_are_refused_though_their_checksum_fits()
    {
        Assert.False(PeerCodec.TryRead(Frame(Raft(new AppendAccepted(T, new LogIndex(-1)))), out _, []));
        Assert.False(PeerCodec.TryRead(Frame(Raft(new VoteRequest(T, I, new Term(-1), false))), out _, []));
    }

    [Fact]
    public void Another_node_under_this_ones_id_does_not_stand_in_for_a_missing_one()
    {
        var formation = new Formation(Self, [new NodeId(1), new NodeId(2), new NodeId(3)]);
        formation.Heard(Other, Formation.Empty);
        formation.Heard(new ReplicaId(Self.Node, new StoreId(12)), Formation.Empty);
        Assert.Null(formation.TryForm());

        formation.Heard(new ReplicaId(new NodeId(3), new StoreId(33)), Formation.Empty);
        Assert.Equal(3, formation.TryForm()!.Voters.Length);
    }

    private static PeerMessage Raft(RaftMessage message) => new PeerMessage.ForGroup(new GroupId(9), message);

    private static byte[] Frame(PeerMessage message)
    {
        var frame = new PeerFrame(new byte[4096]);
        PeerCodec.WriteFrameHeader(frame, Sender);
        PeerCodec.Write(frame, message, new ByteWriter());
        return frame.Written.ToArray();
    }
}
