using RaftMq.Fuzz.Engine;

namespace RaftMq.Fuzz.Bait;

/// <summary>The format of <see cref="BaitParser"/>: shows that what the fuzzer is to find, it finds.</summary>
internal sealed class BaitFormat : FuzzFormat
{
    public const int Mistakes = 4;
    public const int TimeMaxMs = 40;

    public override string Name => "bait";

    public override IReadOnlyList<string> Parsers => ["RaftMq.Fuzz.Bait.BaitParser"];

    public override TimeSpan TimeMax => TimeSpan.FromMilliseconds(TimeMaxMs);

    public override int FindsMax => Mistakes;

    public override IEnumerable<byte[]> Seeds() => [new byte[12]];

    public override void Run(byte[] input)
    {
        BaitMessage? read = BaitParser.Read(input);
        ReadDone();
        if (read is { Kind: 55 })
        {
            Oracle.Holds(read.Body[0] == input[3], "what is read is not what was written");
        }
    }
}
