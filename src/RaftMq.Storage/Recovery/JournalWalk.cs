using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Recovery;

/// <summary>
/// Follows the chain of batches through the files that count, to its end, and judges what can't be read (design 4, "torn or damaged").
/// Holds two batches at most.
/// </summary>
/// <param name="witness">Is told of each batch and of each hole.</param>
internal sealed class JournalWalk(ReplaySink sink, IJournalWitness witness)
{
    private byte[] _body = [];
    private byte[] _lastBody = [];
    private FoundBatch? _replaceable;

    /// <summary>
    /// Taken, and told once the next one follows it: one that the next does not know may be whole and still not what was written here, as when a
    /// mirror answers from a stale half.
    /// </summary>
    private (FoundBatch Batch, ReadOnlyMemory<byte>? Body, JournalFile File)? _untold;

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
        if (PlantedBug.DamagedMiddleCutOff && CutBytes > 0)
        {
            return;
        }

        Enter(file);
        long? mustReach = next?.Opening?.Header.DurableUpTo;
        long limit = Math.Min(mustReach ?? long.MaxValue, file.LimitPosition);
        long at = 0;
        while (file.BasePosition + at < limit
            && file.Reader.FindFrom(at) is { } found
            && found.Header.Position < limit)
        {
            if (PlantedBug.DamagedMiddleCutOff && found.Header.FileOffset > at)
            {
                CutBytes = found.Header.FileOffset - at;
                return;
            }

            if (found.Header.FileOffset > at)
            {
                Hole(asFile.Number, $"{asFile.Path}: nothing readable from {at} to {found.Header.FileOffset}, and a batch behind it");
            }
            else if (_linked && !Follows(found))
            {
                _untold = null;
                Hole(asFile.Number, $"{asFile.Path}: the batch at {at} does not follow the one before it");
            }

            if (!TryTake(file, asFile, found, isLast: next is null))
            {
                break;
            }

            at = found.Header.FileEnd;
            asFile.UsedBytes = at;
        }

        if (PlantedBug.DamagedMiddleCutOff && CutBytes > 0)
        {
            return;
        }

        if (file.Opening?.Header.FileBytes > file.Reader.Length)
        {
            Hole(asFile.Number, $"{asFile.Path} has {file.Reader.Length} bytes and had {file.Opening.Header.FileBytes}");
        }
        else if (mustReach is not null && End != mustReach)
        {
            Hole(asFile.Number, $"{asFile.Path}: ends at position {End}, but was durable up to {mustReach}");
        }
    }

    /// <summary>There is nothing behind.</summary>
    /// <exception cref="JournalRefusedException">Batches say less of what was durable than those before them: none is ever written so.</exception>
    public void Finish()
    {
        TellLast();
        if (Last is { Header: var last } && DurableUpTo < End && (last.DurableUpTo < DurableUpTo || LastBody is null))
        {
            throw JournalRefusedException.WrittenSo(last, "batches around it do not agree how far the journal was durable");
        }
    }

    /// <summary>A hole before the first file that counts.</summary>
    public void Missing(long number, string report) => Hole(number, report);

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
            _untold = null;
            Hole(file.Reader.Number, $"{JournalFile.PathOf(file.Reader.Number)} does not follow the file before it");
        }
    }

    /// <summary>False: the batch is torn, here is the end.</summary>
    /// <exception cref="JournalRefusedException">No batch says what this one says.</exception>
    private bool TryTake(LineageFile file, JournalFile asFile, FoundBatch found, bool isLast)
    {
        BatchHeader header = found.Header;
        bool whole = file.Reader.TryReadBody(found, ref _body, out bool mended) || PlantedBug.TornBatchAccepted;
        if (!whole && (PlantedBug.DamagedMiddleCutOff || (isLast && file.Reader.FindFrom(header.FileEnd) is null)))
        {
            Probe.Reached(RareBranch.TornBatchCut);

            // At or after D: never acknowledged. Its header still proves what was durable when it was written.
            DurableUpTo = Math.Max(DurableUpTo, header.DurableUpTo);
            CutBytes = header.BatchBytes;
            witness.Torn(asFile, found);
            return false;
        }

        if (header.FirstNeededFile > header.FileNumber)
        {
            throw JournalRefusedException.WrittenSo(header, $"it says that its own file is not needed, and nothing before {JournalFile.PathOf(header.FirstNeededFile)}");
        }

        TellLast();
        FirstNeededBeforeLast = Last?.Header.FirstNeededFile ?? 0;
        DurableUpTo = Math.Max(DurableUpTo, header.DurableUpTo);
        End = header.End;
        Sequence = header.Sequence;
        Hash = found.Hash;
        Generation = header.Generation;
        Last = found;
        _linked = true;
        Batches++;
        witness.Batch(asFile, found, whole, mended && whole);
        KeepReplaceable(found, whole);
        Mended += mended && whole ? 1 : 0;
        Probe.ReachedWhen(mended && whole, RareBranch.BlockMended);
        Damaged += whole ? 0 : 1;
        (_body, _lastBody) = (_lastBody, _body);

        // Not "? :" with a bare null, which would become an empty memory.
        LastBody = null;
        if (whole)
        {
            LastBody = _lastBody.AsMemory(0, header.BodyBytes);
        }

        _untold = (found, LastBody, asFile);
        return true;
    }

    private void TellLast()
    {
        if (_untold is { } last)
        {
            _untold = null;
            sink.Batch(last.Batch, last.Body, last.File);
        }
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

    private void Hole(long number, string report)
    {
        witness.Hole(number, report);
        TellLast();
        _replaceable = null;
        Damaged++;
        _linked = false;
        if (!PlantedBug.HoleBelieved)
        {
            sink.Hole($"durable journal bytes are damaged together with their table: {report}");
        }
    }
}
