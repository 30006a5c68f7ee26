using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Follows the chain of batches through the files that count, to its end, and judges what can't be read (design 4, "torn or damaged").
/// Holds two batches at most.
/// </summary>
internal sealed class JournalWalk(ReplaySink sink)
{
    private byte[] _body = [];
    private byte[] _lastBody = [];
    private FoundBatch? _replaceable;

    /// <summary>It carries entries and the like itself, which the next generation carries on only if it is written anew.</summary>
    private bool _replaceableOnlyAsLast;

    /// <summary>False at the start and behind a hole: the next batch is taken at its word.</summary>
    private bool _linked;

    /// <summary>D: everything before this position was fsynced.</summary>
    public long DurableUpTo { get; private set; }

    /// <summary>P: where the last batch ends.</summary>
    public long End { get; private set; }

    public long Sequence { get; private set; }

    public ulong Hash { get; private set; }

    public long Generation { get; private set; }

    public FoundBatch? Last { get; private set; }

    /// <summary>The last batch's body, when it was read whole.</summary>
    public ReadOnlyMemory<byte>? LastBody { get; private set; }

    /// <summary>Of the last batch but one: where it is durable, what it says can be relied on.</summary>
    public long FirstNeededBeforeLast { get; private set; }

    /// <summary>
    /// The first batch of the newest generation, when nothing in that generation says more than the state of its groups: the next one
    /// repeats it and can take its place. Without this a node that starts again and again would take a file each time.
    /// </summary>
    public FoundBatch? Replaceable => _replaceableOnlyAsLast && DurableUpTo >= End ? null : _replaceable;

    public long Batches { get; private set; }

    public long Mended { get; private set; }

    public long Damaged { get; private set; }

    public long CutBytes { get; private set; }

    /// <summary>Follows one file. <paramref name="next"/> is the one behind it, which says how far this one must reach.</summary>
    public void Follow(LineageFile file, JournalFile asFile, LineageFile? next)
    {
        Enter(file);
        if (file.Opening?.Header.FileBytes > file.Reader.Length)
        {
            Hole($"{asFile.Path} has {file.Reader.Length} bytes and had {file.Opening.Header.FileBytes}");
        }

        long? mustReach = next?.Opening?.Header.DurableUpTo;
        long limit = Math.Min(mustReach ?? long.MaxValue, file.LimitPosition);
        long at = 0;
        while (file.BasePosition + at < limit
            && file.Reader.FindFrom(at) is { } found
            && found.Header.Position < limit)
        {
            if (found.Header.FileOffset > at)
            {
                Hole($"{asFile.Path}: nothing readable from {at} to {found.Header.FileOffset}, and a batch behind it");
            }
            else if (_linked && !Follows(found))
            {
                Hole($"{asFile.Path}: the batch at {at} does not follow the one before it");
            }

            if (!TryTake(file, asFile, found, isLast: next is null))
            {
                break;
            }

            at = found.Header.FileEnd;
            asFile.UsedBytes = at;
        }

        if (mustReach is not null && End != mustReach)
        {
            Hole($"{asFile.Path}: ends at position {End}, but was durable up to {mustReach}");
        }
    }

    /// <summary>A hole before the first file that counts.</summary>
    public void Missing(string report) => Hole(report);

    /// <summary>The first batch of a generation names what it cut; <see cref="Enter"/> has compared that.</summary>
    private bool Follows(FoundBatch found) =>
        found.Header.OpensGeneration || (found.Header.PreviousHash == Hash && found.Header.Sequence == Sequence + 1);

    private void Enter(LineageFile file)
    {
        if (file.Opening is not { } opening || !_linked)
        {
            return;
        }

        BatchHeader header = opening.Header;
        ulong expected = header.OpensGeneration ? header.Cut.HashAtFrom : header.PreviousHash;
        if (expected != Hash)
        {
            Hole($"{JournalFile.PathOf(file.Reader.Number)} does not follow the file before it");
        }
    }

    /// <summary>False: the batch is torn, here is the end.</summary>
    private bool TryTake(LineageFile file, JournalFile asFile, FoundBatch found, bool isLast)
    {
        BatchHeader header = found.Header;
        bool whole = file.Reader.TryReadBody(found, ref _body, out bool mended);
        if (!whole && isLast && file.Reader.FindFrom(header.FileEnd) is null)
        {
            // At or after D: never acknowledged. Its header still proves what was durable when it was written.
            DurableUpTo = Math.Max(DurableUpTo, header.DurableUpTo);
            CutBytes = header.BatchBytes;
            return false;
        }

        FirstNeededBeforeLast = Last?.Header.FirstNeededFile ?? 0;
        DurableUpTo = Math.Max(DurableUpTo, header.DurableUpTo);
        End = header.End;
        Sequence = header.Sequence;
        Hash = found.Hash;
        Generation = header.Generation;
        Last = found;
        _linked = true;
        Batches++;
        KeepReplaceable(found, whole);
        Mended += mended && whole ? 1 : 0;
        Damaged += whole ? 0 : 1;
        (_body, _lastBody) = (_lastBody, _body);

        // Not "? :" with a bare null, which would become an empty memory.
        LastBody = null;
        if (whole)
        {
            LastBody = _lastBody.AsMemory(0, header.BodyBytes);
        }

        sink.Batch(found, LastBody, asFile);
        return true;
    }

    private void KeepReplaceable(FoundBatch found, bool whole)
    {
        const RowParts more = RowParts.Entries | RowParts.Reset | RowParts.Deleted;
        bool saysMore = found.Rows().Exists(row => !row.Has(RowParts.State) && row.Has(more));
        if (found.Header.OpensGeneration && whole)
        {
            _replaceable = found;
            _replaceableOnlyAsLast = saysMore;
        }
        else if (found.Header.OpensFile || saysMore || _replaceableOnlyAsLast || !whole)
        {
            _replaceable = null;
        }
    }

    private void Hole(string report)
    {
        _replaceable = null;
        Damaged++;
        _linked = false;
        sink.DamageUnknown($"durable journal bytes are damaged together with their table: {report}");
    }
}
