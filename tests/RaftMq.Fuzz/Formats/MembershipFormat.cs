using RaftMq.Fuzz.Engine;
using RaftMq.Raft;

namespace RaftMq.Fuzz.Formats;

/// <summary>Memberships as they are stored and sent.</summary>
internal sealed class MembershipFormat : FuzzFormat
{
    public override string Name => "membership";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Raft.MembershipCodec"];

    public override int InputBytesMax => 2048;

    public override IEnumerable<byte[]> Seeds() =>
        [MembershipCodec.ToBytes(Membership.None), MembershipCodec.ToBytes(Membership.Of(Samples.Replicas(1, 2, 3))), MembershipCodec.ToBytes(Samples.Joint())];

    public override void Run(byte[] input)
    {
        bool read = MembershipCodec.TryRead(input, out Membership membership);
        ReadDone();
        if (read)
        {
            Oracle.Same(input, MembershipCodec.ToBytes(membership), "there is one form per membership");
        }
    }
}
