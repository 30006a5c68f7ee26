using RaftMq.Fuzz.Disk;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Raft;
using RaftMq.Storage.Index;
using RaftMq.Storage.Log;
using RaftMq.Storage.Segments;

namespace RaftMq.Fuzz.Formats;

/// <summary>
/// A segment's file: scanned whole as at start, and read for a consumer, a follower and the two look-ups with what an undamaged index says of it.
/// Nothing comes out that is not whole, in order and of the group.
/// </summary>
internal sealed class SegmentFormat : FuzzFormat
{
    private const string Folder = "g";
    private const int Entries = 9;
    private static readonly LogIndex First = new(10);

    private readonly SparseIndex _written = Scan(Log(), out _)!;

    public override string Name => "segments";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Storage.Segments.SegmentScanner", "RaftMq.Storage.Segments.SegmentSet::TryScan", "RaftMq.Storage.Segments.SegmentRead",
        "RaftMq.Storage.Log.EntryLayout", "RaftMq.Storage.Log.StoredEntry", "RaftMq.Storage.Log.StoredBatch", "RaftMq.Storage.Index.SegmentSummary",
    ];

    /// <summary>A read takes its point's distance more than it was asked for, five times here; a scan a MiB at most.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (64L * inputBytes) + (64 << 10);

    public override IEnumerable<byte[]> Seeds() => [Log(), [.. Samples.Log(First.Value, 2, term: 3).SelectMany(entry => entry)]];

    public override void Run(byte[] input)
    {
        SparseIndex? index = Scan(input, out string? fault);
        List<LogRead> reads = [.. ReadAll(input)];
        ReadDone();
        Oracle.Holds(index is null || fault is not null || index.Summary.LengthBytes == input.Length, "a scan without fault reads all");
        if (index is not null)
        {
            CheckChain(input.AsSpan(0, (int)index.Summary.LengthBytes), index.Summary);
        }

        foreach (LogRead read in reads)
        {
            Oracle.Holds(read.Status == LogReadStatus.Damaged == read.Damage is not null, "damage is told");
            Check(read);
        }
    }

    public override void Repair(byte[] input, FuzzRandom random) => Checksums.MendEntries(input);

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        HashSet<string> written = [];
        for (int at = 0; at < seed.Length; at += EntryLayout.ReadUnchecked(seed.AsSpan(at)).LengthBytes)
        {
            byte[] entry = seed[at..(at + EntryLayout.ReadUnchecked(seed.AsSpan(at)).LengthBytes)];
            written.Add(Convert.ToHexString(entry));
            written.Add(Convert.ToHexString(entry.AsSpan(EntryLayout.HeaderBytes)));
        }

        foreach (LogRead read in ReadAll(mutant))
        {
            Oracle.Holds(read.Batches.All(batch => written.Contains(Convert.ToHexString(batch.Span))), "a consumer reads only what was written");
            Oracle.Holds(read.Entries.All(entry => written.Contains(Convert.ToHexString(entry.Bytes.Span))), "a follower reads only what was written");
        }
    }

    private static byte[] Log() => [.. Samples.Log(First.Value, Entries, term: 3).SelectMany(entry => entry)];

    private static SparseIndex? Scan(byte[] bytes, out string? fault) =>
        SegmentSet.TryScan(new FuzzFile("segment", bytes), Samples.Group, SegmentSummary.Empty(First, -1), bytes.Length, out fault);

    private static void CheckChain(ReadOnlySpan<byte> bytes, in SegmentSummary summary)
    {
        LogIndex expected = First;
        while (!bytes.IsEmpty)
        {
            Oracle.Holds(StoredEntry.TryReadWhole(bytes, out EntryHeader header), "a scanned entry is whole");
            Oracle.Holds(header.Index == expected && header.Group.IsLifeOf(Samples.Group), "scanned entries follow each other");
            expected = expected.Next;
            bytes = bytes[header.LengthBytes..];
        }

        Oracle.Holds(expected == summary.Last.Next, "a scan knows its last entry");
    }

    private static void Check(LogRead read)
    {
        foreach (ReadOnlyMemory<byte> batch in read.Batches)
        {
            Oracle.Holds(StoredBatch.IsWhole(batch.Span), "a consumer's batch is whole");
        }

        LogIndex? before = null;
        foreach (Entry entry in read.Entries)
        {
            Oracle.Holds(StoredEntry.TryReadWhole(entry.Bytes.Span, out EntryHeader header) && header.Group.IsLifeOf(Samples.Group), "a follower's entry is whole");
            Oracle.Holds(before is null || entry.Index == before.Value.Next, "a follower's entries have no gap");
            before = entry.Index;
        }
    }

    private IEnumerable<LogRead> ReadAll(byte[] bytes)
    {
        FuzzDisk disk = new();
        Segment segment = new(Folder, _written.Summary, _written);
        disk.Put(segment.Path, bytes);
        SegmentQuestion[] questions =
        [
            new(SegmentQuestionKind.ConsumerBatches, 1, default, 0, long.MaxValue, default, 500),
            new(SegmentQuestionKind.FollowerEntries, 0, First.Next, 0, 0, new LogIndex(15), 100_000),
            new(SegmentQuestionKind.HeaderByOffset, 6, default, 0, 0, default, 0),
            new(SegmentQuestionKind.HeaderByTimestamp, 0, default, 1_700_000_000_013, 0, default, 0),
        ];
        foreach (SegmentQuestion question in questions)
        {
            LogRead read = new(waiter: null);
            SegmentRead work = new(Samples.Group, segment, question, read, static _ => { });
            work.Execute(disk);
            work.Complete();
            yield return read;
        }

        // The same without the points in memory: those of a file that says something else.
        Segment unloaded = new(Folder, _written.Summary, index: null);
        disk.Put(unloaded.IndexPath, IndexFile.Encode(Samples.Group, _written));
        LogRead last = new(waiter: null);
        SegmentRead again = new(Samples.Group, unloaded, questions[0], last, static _ => { });
        again.Execute(disk);
        again.Complete();
        yield return last;
    }
}
