namespace RaftMq.Cli.Bench;

/// <summary>Which records of a run were found in the log, a bit each. Safe for several readers.</summary>
internal sealed class SeenRecords(int producers)
{
    private readonly List<ulong>[] bits = [.. Enumerable.Range(0, producers).Select(_ => new List<ulong>())];

    public long Distinct { get; private set; }

    public long Repeated { get; private set; }

    public void Mark(int producer, long number)
    {
        List<ulong> own = bits[producer];
        lock (bits)
        {
            int word = checked((int)(number >> 6));
            while (own.Count <= word)
            {
                own.Add(0);
            }

            ulong bit = 1UL << (int)(number & 63);
            if ((own[word] & bit) == 0)
            {
                own[word] |= bit;
                Distinct++;
            }
            else
            {
                Repeated++;
            }
        }
    }
}
