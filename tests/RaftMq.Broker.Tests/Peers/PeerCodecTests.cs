using RaftMq.Broker.Cluster;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Peers;

/// <summary>The peers' protocol: its bytes, and everything that is not it.</summary>
public sealed class PeerCodecTests
{
    private static readonly ReplicaId Self = new(new NodeId(1), new StoreId(11));
    private static readonly ReplicaId Other = new(new NodeId(2), new StoreId(22));
    private static readonly Term T = new(5);
    private static readonly LogIndex I = new(77);

    [Fact]
    public void Version_1_of_every_message_is_read_and_written_for_ever_as_in_the_golden_file()
    {
        var golden = GoldenFile.Read("peers-v1.txt");
        Assert.Equal(PeerSamples.All.Select(s => s.Name).Order(StringComparer.Ordinal), golden.Blocks);
        foreach ((string name, PeerMessage message) in PeerSamples.All)
        {
            golden.AssertUnchanged(name, PeerSamples.Frame(message));
            Assert.True(TryRead(golden[name], out PeerSender sender, out List<PeerMessage> read), name);
            Assert.Equal(PeerSamples.Sender, sender);
            Assert.Equal(PeerSamples.Describe(message), PeerSamples.Describe(Assert.Single(read)));
        }
    }

    [Fact]
    public void A_snapshot_whose_membership_could_not_be_stored_is_refused()
    {
        ReplicaId[] many = [.. Enumerable.Range(1, MembershipCodec.MembersMax + 1).Select(node => new ReplicaId(new NodeId(node), new StoreId(1)))];
        Membership[] memberships =
        [
            new([Other, Self], [], []), new([Self, Self], [], []), new([Self], [Other, Self], []), new([], [], [Self]), new(many, [], []),
        ];
        foreach (Membership membership in memberships)
        {
            byte[] frame = PeerSamples.Frame(new PeerMessage.ForGroup(new GroupId(3), new InstallSnapshot(T, I, T, membership)));
            Assert.False(TryRead(frame, out _, out _), membership.ToString());
        }

        byte[] good = PeerSamples.Frame(new PeerMessage.ForGroup(new GroupId(3), new InstallSnapshot(T, I, T, new([Self, Other], [Self], many[4..6]))));
        Assert.True(TryRead(good, out _, out _));
    }

    [Fact]
    public void No_kind_of_message_is_missing_here()
    {
        Type[] kinds =
        [
            .. typeof(PeerMessage).GetNestedTypes().Where(t => t != typeof(PeerMessage.ForGroup)),
            .. typeof(RaftMessage).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(RaftMessage))),
        ];
        var random = new RandomSource(1);

        Assert.Empty(kinds.Except(PeerSamples.All.Select(s => PeerSamples.KindOf(s.Message))));
        Assert.Empty(kinds.Except(Enumerable.Range(0, 2_000).Select(_ => PeerSamples.KindOf(PeerSamples.Random(random)))));
    }

    [Fact]
    public void Random_messages_come_back_as_they_were_sent_many_in_a_frame()
    {
        for (ulong seed = 0; seed < 500; seed++)
        {
            var random = new RandomSource(seed);
            PeerMessage[] sent = [.. Enumerable.Range(0, random.Next(12)).Select(_ => PeerSamples.Random(random))];
            byte[] frame = PeerSamples.Frame(sent);

            Assert.True(TryRead(frame, out PeerSender sender, out List<PeerMessage> read), $"seed {seed}");
            Assert.Equal(PeerSamples.Sender, sender);
            Assert.Equal(sent.Select(PeerSamples.Describe), read.Select(PeerSamples.Describe));
            Assert.Equal(frame, PeerSamples.Frame(read));
        }
    }

    [Fact]
    public void No_message_takes_more_than_its_bound()
    {
        for (ulong seed = 0; seed < 2_000; seed++)
        {
            PeerMessage message = PeerSamples.Random(new RandomSource(seed));
            int bytes = PeerSamples.Frame(message).Length - PeerCodec.FrameHeaderBytes;

            Assert.True(bytes <= PeerCodec.SizeBound(message), $"seed {seed}: {bytes} bytes, {PeerSamples.Describe(message)}");
        }
    }

    [Fact]
    public void No_cut_frame_is_taken_for_a_whole_one()
    {
        foreach ((string name, PeerMessage message) in PeerSamples.All)
        {
            foreach ((byte[] cut, string how) in Hostile.Cut(PeerSamples.Frame(message)))
            {
                // A header alone is a frame without messages.
                Assert.Equal(cut.Length == PeerCodec.FrameHeaderBytes, TryRead(cut, out _, out List<PeerMessage> read));
                Assert.True(read.Count == 0, $"{name}, {how}");
            }
        }
    }

    [Fact]
    public void No_flipped_bit_is_believed()
    {
        foreach ((string name, PeerMessage message) in PeerSamples.All)
        {
            foreach ((byte[] flipped, string how) in Hostile.Flip(PeerSamples.Frame(message)))
            {
                Assert.False(TryRead(flipped, out _, out _), $"{name}, {how}");
            }
        }
    }

    [Fact]
    public void Bytes_changed_under_right_checksums_are_refused_or_are_another_message_and_cost_no_more_than_they_are_long()
    {
        int other = 0;
        foreach ((string name, PeerMessage message) in PeerSamples.All)
        {
            foreach ((byte[] changed, string how) in Hostile.All(PeerSamples.Frame(message)))
            {
                byte[] frame = PeerSamples.Sealed(changed);
                var read = new List<PeerMessage>(8);
                if (Hostile.Read(() => PeerCodec.TryRead(frame, out _, read), frame.Length, $"{name}, {how}"))
                {
                    // What is believed has one form: nothing in the frame was passed over.
                    Assert.Equal(frame[PeerCodec.FrameHeaderBytes..], PeerSamples.Frame(read)[PeerCodec.FrameHeaderBytes..]);
                    other++;
                }
            }
        }

        Assert.NotEqual(0, other);
    }

    [Fact]
    public void Bytes_that_nobody_wrote_are_refused()
    {
        for (ulong seed = 0; seed < 2_000; seed++)
        {
            var random = new RandomSource(seed);
            byte[] frame = PeerSamples.Frame(PeerSamples.Random(random));
            for (int at = random.Next(frame.Length); at < frame.Length; at++)
            {
                frame[at] = (byte)random.Next(256);
            }

            Hostile.Read(() => PeerCodec.TryRead(frame, out _, []), frame.Length, $"seed {seed}");
            PeerSamples.Sealed(frame);
            Hostile.Read(() => PeerCodec.TryRead(frame, out _, []), frame.Length, $"seed {seed}, sealed");
        }
    }

    [Fact]
    public void Indexes_and_terms_that_can_not_be_are_refused_though_their_checksum_fits()
    {
        Assert.False(TryRead(PeerSamples.Frame(Raft(new AppendAccepted(T, new LogIndex(-1)))), out _, out _));
        Assert.False(TryRead(PeerSamples.Frame(Raft(new VoteRequest(T, I, new Term(-1), false))), out _, out _));
        Assert.False(TryRead(PeerSamples.Frame(Raft(new Wake(new Term(-1)))), out _, out _));
    }

    [Fact]
    public void Entries_of_another_group_or_out_of_order_are_refused()
    {
        var append = (AppendEntries)((PeerMessage.ForGroup)PeerSamples.All.Single(s => s.Name == "append").Message).Message;
        AppendEntries[] bad =
        [
            append with { PreviousIndex = append.PreviousIndex.Next },
            append with { PreviousTerm = append.Term.Next },
            append with { Term = new Term(append.Term.Value - 1) },
            append with { Entries = [append.Entries[1], append.Entries[0]] },
            append with { Entries = [append.Entries[0], append.Entries[0]] },
            append with { Entries = [append.Entries[0], append.Entries[2]] },
        ];

        Assert.All(bad, message => Assert.False(TryRead(PeerSamples.Frame(Raft(message)), out _, out _)));
        Assert.False(TryRead(PeerSamples.Frame(new PeerMessage.ForGroup(new GroupId(8), append)), out _, out _));
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

    private static bool TryRead(byte[] frame, out PeerSender sender, out List<PeerMessage> read)
    {
        read = [];
        return PeerCodec.TryRead(frame, out sender, read);
    }
}
