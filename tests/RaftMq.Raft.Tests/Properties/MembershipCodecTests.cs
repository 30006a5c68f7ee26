namespace RaftMq.Raft.Tests.Properties;

public sealed class MembershipCodecTests
{
    private const string Golden =
        "01020101"
        + "01000000" + "0b000000000000000000000000000000"
        + "02000000" + "0c000000000000000000000000000000"
        + "03000000" + "ffffffffffffffffffffffffffffff7f"
        + "04000000" + "0e000000000000000000000000000000";

    private static Membership Sample => new(
        [Id(1, 11), Id(2, 12)], [Id(3, UInt128.MaxValue >> 1)], [Id(4, 14)]);

    [Fact]
    public void Version_1_is_these_bytes_for_ever() =>
        Assert.Equal(Golden, Convert.ToHexStringLower(MembershipCodec.ToBytes(Sample)));

    [Fact]
    public void What_was_written_is_read()
    {
        foreach (Membership membership in (Membership[])[Sample, Membership.None, Membership.Of(Id(7, 1))])
        {
            Assert.True(MembershipCodec.TryRead(MembershipCodec.ToBytes(membership), out Membership read));
            Assert.Equal(membership.ToString(), read.ToString());
            Assert.Equal(membership.Voters, read.Voters);
            Assert.Equal(membership.OutgoingVoters, read.OutgoingVoters);
            Assert.Equal(membership.Learners, read.Learners);
        }
    }

    [Fact]
    public void Nothing_but_the_whole_is_read()
    {
        byte[] bytes = MembershipCodec.ToBytes(Sample);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(MembershipCodec.TryRead(bytes.AsSpan(0, length), out _));
        }

        Assert.False(MembershipCodec.TryRead([.. bytes, 0], out _));
    }

    [Theory]
    [InlineData(0, 2)] // another version
    [InlineData(0, 0)]
    [InlineData(1, 33)] // more voters than there may be
    [InlineData(4, 2)] // the first node equals the second: not ascending
    [InlineData(4, 3)]
    public void A_form_that_is_never_written_is_refused(int at, byte value)
    {
        byte[] bytes = MembershipCodec.ToBytes(Sample);
        bytes[at] = value;

        Assert.False(MembershipCodec.TryRead(bytes, out _));
    }

    [Fact]
    public void Random_bytes_are_refused_or_read_back_the_same()
    {
        RandomSource random = new(3);
        byte[] good = MembershipCodec.ToBytes(Sample);
        for (int run = 0; run < 20_000; run++)
        {
            byte[] bytes = [.. good];
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (MembershipCodec.TryRead(bytes, out Membership read))
            {
                Assert.Equal(bytes, MembershipCodec.ToBytes(read));
            }
        }
    }

    private static ReplicaId Id(int node, UInt128 store) => new(new NodeId(node), new StoreId(store));
}
