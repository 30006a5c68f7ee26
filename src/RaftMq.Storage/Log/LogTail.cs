using RaftMq.Raft;

namespace RaftMq.Storage.Log;

/// <summary>Fills in a payload where it lies, before the entry's checksum is computed over it.</summary>
public delegate void PayloadPatch(Span<byte> payload, in EntryHeader header);

/// <summary>What stands before a tail: the last entry that it does not hold.</summary>
/// <param name="SegmentFirst">First entry of the segment that goes on, with its length so far; null when the next entry starts one.</param>
/// <param name="Memberships">The one in force at the newest checkpoint and all entries' since, ascending; never empty.</param>
public readonly record struct TailStart(
    LogIndex LastIndex,
    long NextOffset,
    (LogIndex First, long Bytes, long TimestampMs)? SegmentFirst,
    IReadOnlyList<(LogIndex Index, Membership Membership)> Memberships);

/// <summary>
/// The newest entries of one group in their stored form, in chunks that all groups of the shard share a budget for. A leader encodes an
/// entry once, here; journal, segments, peers and consumers read the same bytes. An entry's life:
/// 1. encoded (leader) or copied (follower) behind the last one;
/// 2. forgotten by <see cref="TruncateFrom"/> while it is not committed, or
/// 3. evictable once it is durable in the journal, committed, applied and written to its segment (<see cref="GroupLog.Advance(LogIndex, LogIndex, LogIndex)"/>);
/// 4. evicted with its chunk, oldest first, when the pool is over its budget. Until then consumers at the tail read memory.
/// Bytes given out stay as they are for as long as somebody holds them, also after truncation or eviction.
/// </summary>
public sealed class LogTail : ILogTail
{
    private readonly TailPool _pool;
    private readonly List<TailChunk> _chunks = [];

    /// <summary>Segment starts in memory and the one that <see cref="FirstInMemory"/> belongs to, ascending.</summary>
    private readonly List<SegmentStart> _segments = [];

    /// <summary>The membership at or below <see cref="Committed"/> and all above it in the log, ascending.</summary>
    private readonly List<(LogIndex Index, Membership Membership)> _memberships = [];

    private long _memoryBytes;
    private int _turns;

    public LogTail(GroupId group, TailPool pool, TailStart start, TermTable terms, RollPolicy roll)
    {
        Group = group;
        _pool = pool;
        Terms = terms;
        Roll = roll;
        Begin(start);
    }

    /// <inheritdoc/>
    public LogIndex FirstInMemory => _chunks.Count == 0 ? LastIndex.Next : _chunks[0].First;

    /// <inheritdoc/>
    public LogIndex LastIndex { get; private set; }

    public Term LastTerm => Terms.LastTerm;

    /// <summary>The offset that the next record gets.</summary>
    public long NextOffset { get; private set; }

    public TermTable Terms { get; }

    /// <summary>
    /// The leader's clock in ms since 1970, for the age of segments and for the entries that consensus makes itself. The shell sets it at each
    /// turn and before it makes an entry.
    /// </summary>
    public long NowMs { get; set; }

    /// <summary>What new entries name: the group as all its replicas know it, which may be another life than the store's own.</summary>
    public GroupId Group { get; set; }

    public RollPolicy Roll { get; set; }

    /// <summary>Memory this group takes of the pool.</summary>
    public long MemoryBytes => _memoryBytes;

    /// <summary>Bytes of all entries so far, counted from the start of the segment that the tail began in.</summary>
    private long EndPosition { get; set; }

    /// <summary>Entries up to here may be evicted.</summary>
    internal LogIndex EvictableUpTo { get; set; }

    /// <summary>Entries up to here are committed and can't be truncated.</summary>
    internal LogIndex Committed { get; set; }

    /// <summary>
    /// Whether the entry that a leader appends next should start a segment. Age is counted in the records' own time, as far as it has come:
    /// a producer that brings records of last year must not start a segment with each of them.
    /// </summary>
    internal bool ShouldStartSegment(RollPolicy roll, int nextEntrySize, long nextTimestampMs)
    {
        if (_segments.Count == 0)
        {
            return true;
        }

        SegmentStart current = _segments[^1];
        return EndPosition - current.Position + nextEntrySize > roll.SegmentBytes
            || Math.Min(nextTimestampMs, NowMs) - current.TimestampMs >= roll.SegmentMs;
    }

    /// <summary>
    /// Makes the header of the entry that follows the last one: index, base offset, group, length and segment start are the log's to say.
    /// </summary>
    /// <param name="roll">In place of <see cref="Roll"/>.</param>
    public EntryHeader NextHeader(
        Term term, EntryKind kind, int payloadBytes, int recordCount, long timestampMs, RollPolicy? roll = null)
    {
        int length = checked(EntryLayout.HeaderBytes + payloadBytes);
        EntryFlags flags = ShouldStartSegment(roll ?? Roll, length, timestampMs)
            ? EntryFlags.StartsSegment
            : EntryFlags.None;
        return new EntryHeader(
            length,
            kind,
            flags,
            term,
            LastIndex.Next,
            NextOffset,
            recordCount,
            EntryKinds.GuardedBytes(kind, payloadBytes),
            timestampMs,
            Group);
    }

    /// <summary>The leader's way in for a record batch: assigns its offsets, fills them and the leader epoch in.</summary>
    public Entry EncodeBatch(Term term, ReadOnlySpan<byte> batch, int recordCount, long maxTimestampMs)
    {
        Invariant.Holds(recordCount > 0);
        return Encode(
            NextHeader(term, EntryKinds.Data, batch.Length, recordCount, maxTimestampMs),
            batch,
            static (Span<byte> payload, in EntryHeader header) =>
                StoredBatch.Patch(payload, header.BaseOffset, header.Term.Value));
    }

    /// <inheritdoc cref="Encode(in EntryHeader, ReadOnlySpan{byte}, PayloadPatch?)"/>
    public Entry Encode(in EntryHeader header, ReadOnlySpan<byte> payload) => Encode(header, payload, patch: null);

    /// <summary>
    /// The leader's way in: writes the entry behind the last one and returns it as it lies there. The header is one that
    /// <see cref="NextHeader"/> made.
    /// </summary>
    public Entry Encode(in EntryHeader header, ReadOnlySpan<byte> payload, PayloadPatch? patch) =>
        Encode(header, payload, patch, membership: null);

    /// <inheritdoc/>
    public Entry AppendOwn(LogIndex index, Term term, EntryKind kind, Membership? membership)
    {
        Invariant.Holds(index == LastIndex.Next);
        Invariant.Holds(kind == EntryKind.Membership == membership is not null);
        byte[] payload = membership is null ? [] : MembershipCodec.ToBytes(membership);
        return Encode(NextHeader(term, kind, payload.Length, recordCount: 0, NowMs), payload, patch: null, membership);
    }

    /// <inheritdoc/>
    public Entry Append(in Entry entry)
    {
        ReadOnlySpan<byte> source = entry.Bytes.Span;
        Invariant.Holds(source.Length >= EntryLayout.HeaderBytes);
        EntryHeader header = EntryLayout.ReadUnchecked(source);
        Invariant.Holds(header.LengthBytes == source.Length);
        Invariant.Holds(header.Index == entry.Index);
        Invariant.Holds(header.Term == entry.Term);
        CheckFollows(header);
        TailChunk chunk = ChunkFor(source.Length);
        source.CopyTo(chunk.Reserve(source.Length));
        return Added(chunk, header, entry.Membership);
    }

    /// <inheritdoc/>
    public void TruncateFrom(LogIndex index)
    {
        if (index > LastIndex)
        {
            return;
        }

        Invariant.Holds(PlantedBug.TruncateBelowCommit || index > Committed);
        Invariant.Holds(index >= FirstInMemory);
        int at = ChunkOf(index);
        TailChunk chunk = _chunks[at];
        EntryHeader header = EntryLayout.ReadUnchecked(chunk.Span(index));
        LastIndex = index.Previous;
        NextOffset = PlantedBug.NextOffsetKeptAcrossTruncation ? NextOffset : header.BaseOffset;
        Terms.TruncateFrom(index);
        while (_memberships[^1].Index >= index)
        {
            _memberships.RemoveAt(_memberships.Count - 1);
        }

        while (_segments.Count > 0 && _segments[^1].First >= index)
        {
            _segments.RemoveAt(_segments.Count - 1);
        }

        int keep = chunk.First == index ? at : at + 1;
        EndPosition = chunk.StartPosition + chunk.StartOf(index);
        if (keep > at)
        {
            chunk.TruncateFrom(index);
        }

        Drop(keep, _chunks.Count - keep);
    }

    /// <inheritdoc/>
    public bool TryRead(LogIndex from, LogIndex to, int maxEntries, long maxBytes, List<Entry> into)
    {
        if (from < FirstInMemory || from > LastIndex)
        {
            return false;
        }

        int at = ChunkOf(from);
        long bytes = 0;
        int count = 0;
        LogIndex last = LogIndex.Min(to, LastIndex);
        for (LogIndex index = from; index <= last && count < maxEntries; index = index.Next)
        {
            at = index > _chunks[at].Last ? at + 1 : at;
            ReadOnlyMemory<byte> entry = _chunks[at].Bytes(index);
            bytes += entry.Length;
            if (count > 0 && bytes > maxBytes)
            {
                break;
            }

            into.Add(StoredEntry.ToEntry(entry));
            count++;
        }

        return count > 0;
    }

    /// <summary>The header of an entry in memory.</summary>
    public EntryHeader HeaderAt(LogIndex index)
    {
        Invariant.Holds(index >= FirstInMemory && index <= LastIndex);
        return EntryLayout.ReadUnchecked(_chunks[ChunkOf(index)].Span(index));
    }

    /// <summary>The stored form of an entry in memory.</summary>
    public ReadOnlyMemory<byte> BytesAt(LogIndex index)
    {
        Invariant.Holds(index >= FirstInMemory && index <= LastIndex);
        return _chunks[ChunkOf(index)].Bytes(index);
    }

    /// <summary>The first entry in memory that ends above an offset (it holds the offset, or is the next to hold any); else null.</summary>
    internal LogIndex? FirstEndingAbove(long offset)
    {
        if (offset >= NextOffset)
        {
            return null;
        }

        int low = 0;
        int high = _chunks.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            TailChunk chunk = _chunks[middle];
            if (EntryLayout.ReadUnchecked(chunk.Span(chunk.Last)).NextOffset > offset)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low == _chunks.Count ? null : _chunks[low].FirstEndingAbove(offset);
    }

    /// <summary>Adds record batches from <paramref name="from"/> on to a consumer's answer, without copying.</summary>
    internal void ReadBatches(LogIndex from, long upToOffset, int maxBytes, LogRead read)
    {
        int at = ChunkOf(from);
        for (LogIndex index = from; index <= LastIndex; index = index.Next)
        {
            at = index > _chunks[at].Last ? at + 1 : at;
            ReadOnlyMemory<byte> entry = _chunks[at].Bytes(index);
            EntryHeader header = EntryLayout.ReadUnchecked(entry.Span);
            if (header.NextOffset > upToOffset)
            {
                return;
            }

            if (header.Kind == EntryKinds.Data)
            {
                if (!read.HasRoom(entry.Length - EntryLayout.HeaderBytes, maxBytes))
                {
                    return;
                }

                read.Add(entry[EntryLayout.HeaderBytes..]);
            }

            read.NextOffset = header.NextOffset;
        }
    }

    /// <summary>
    /// The first entry with records in <paramref name="from"/>..<paramref name="to"/> in memory that has a timestamp at or above the one asked for, and ends above
    /// an offset.
    /// </summary>
    internal EntryHeader? FirstAtOrAfter(long timestampMs, LogIndex from, LogIndex to, long fromOffset)
    {
        foreach (TailChunk chunk in _chunks)
        {
            if (chunk.MaxTimestampMs < timestampMs || chunk.Last < from)
            {
                continue;
            }

            for (LogIndex index = LogIndex.Max(from, chunk.First); index <= LogIndex.Min(chunk.Last, to); index = index.Next)
            {
                EntryHeader header = EntryLayout.ReadUnchecked(chunk.Span(index));
                if (header.RecordCount > 0 && header.TimestampMs >= timestampMs && header.NextOffset > fromOffset)
                {
                    return header;
                }
            }
        }

        return null;
    }

    /// <summary>Adds the memory of entries <paramref name="from"/>..<paramref name="to"/> to <paramref name="into"/>, one slice per chunk.</summary>
    internal void Gather(LogIndex from, LogIndex to, List<ReadOnlyMemory<byte>> into)
    {
        for (int at = ChunkOf(from); at < _chunks.Count && _chunks[at].First <= to; at++)
        {
            TailChunk chunk = _chunks[at];
            int start = chunk.StartOf(LogIndex.Max(from, chunk.First));
            int end = chunk.EndOf(LogIndex.Min(to, chunk.Last));
            into.Add(chunk.Memory.AsMemory(start, end - start));
        }
    }

    /// <summary>Bytes of the entries from one in memory to <paramref name="to"/>, without walking them.</summary>
    internal long BytesBetween(LogIndex from, LogIndex to)
    {
        if (from > to)
        {
            return 0;
        }

        TailChunk first = _chunks[ChunkOf(from)];
        TailChunk last = _chunks[ChunkOf(to)];
        return last.StartPosition + last.EndOf(to) - (first.StartPosition + first.StartOf(from));
    }

    /// <summary>The first segment start above <paramref name="index"/> in the log; else null.</summary>
    internal LogIndex? NextSegmentStart(LogIndex index)
    {
        foreach (SegmentStart start in _segments)
        {
            if (start.First > index)
            {
                return start.First;
            }
        }

        return null;
    }

    /// <summary>The membership in force at a committed index that no later committed one was asked about.</summary>
    internal Membership MembershipAt(LogIndex index)
    {
        while (_memberships.Count > 1 && _memberships[1].Index <= index)
        {
            Invariant.Holds(_memberships[1].Index <= Committed);
            _memberships.RemoveAt(0);
        }

        return _memberships[0].Membership;
    }

    /// <summary>The membership entries above an index.</summary>
    internal IEnumerable<(LogIndex Index, Membership Membership)> MembershipsAbove(LogIndex index) =>
        _memberships.Where(entry => entry.Index > index);

    /// <summary>The pool's turn for this group: gives up its oldest chunk if it may. False when the turn is used up.</summary>
    internal bool TakeTurn()
    {
        if (_turns > _chunks.Count)
        {
            _turns--;
            return false;
        }

        // A chunk without an entry was rented just now.
        if (_chunks.Count == 0 || _chunks[0].Count == 0 || _chunks[0].Last > EvictableUpTo)
        {
            return true;
        }

        _turns--;
        Drop(0, 1);

        // Strictly: a segment's first entry that is still in memory may be truncated, and then the one before goes on.
        while (_segments.Count > 1 && _segments[1].First < FirstInMemory)
        {
            _segments.RemoveAt(0);
        }

        return false;
    }

    /// <summary>Gives all memory back: the group is deleted, or its log begins anew behind an installed snapshot.</summary>
    internal void Restart(TailStart start)
    {
        Drop(0, _chunks.Count);
        Begin(start);
    }

    /// <summary>Recovery's way in: an entry that the journal held, as <see cref="Append"/>.</summary>
    internal void Restore(ReadOnlyMemory<byte> bytes) => Append(StoredEntry.ToEntry(bytes));

    private void Begin(TailStart start)
    {
        LastIndex = start.LastIndex;
        NextOffset = start.NextOffset;
        Committed = start.LastIndex;
        EvictableUpTo = start.LastIndex;
        EndPosition = 0;
        _memberships.Clear();
        _memberships.AddRange(start.Memberships);
        _segments.Clear();
        if (start.SegmentFirst is { } segment)
        {
            _segments.Add(new SegmentStart(segment.First, 0, segment.TimestampMs));
            EndPosition = segment.Bytes;
        }
    }

    private Entry Encode(in EntryHeader header, ReadOnlySpan<byte> payload, PayloadPatch? patch, Membership? membership)
    {
        Invariant.Holds(header.LengthBytes == EntryLayout.HeaderBytes + payload.Length);
        Invariant.Holds(header.GuardedBytes <= payload.Length);
        CheckFollows(header);
        TailChunk chunk = ChunkFor(header.LengthBytes);
        Span<byte> bytes = chunk.Reserve(header.LengthBytes);
        payload.CopyTo(bytes[EntryLayout.HeaderBytes..]);
        patch?.Invoke(bytes[EntryLayout.HeaderBytes..], header);
        EntryLayout.WriteHeader(bytes, header);
        return Added(chunk, header, membership);
    }

    private void CheckFollows(in EntryHeader header)
    {
        Invariant.Holds(header.Index == LastIndex.Next);
        Invariant.Holds(header.Group.IsLifeOf(Group));
        Invariant.Holds(header.Term >= LastTerm);
        Invariant.Holds(header.BaseOffset == NextOffset);
        Invariant.Holds(_segments.Count > 0 || header.Flags.HasFlag(EntryFlags.StartsSegment));
    }

    private Entry Added(TailChunk chunk, in EntryHeader header, Membership? membership)
    {
        LogIndex index = header.Index;
        if (header.Flags.HasFlag(EntryFlags.StartsSegment))
        {
            _segments.Add(new SegmentStart(index, EndPosition, header.TimestampMs));
        }

        chunk.Add(header.LengthBytes, header.TimestampMs);
        Terms.Add(header.Term, index, header.BaseOffset);
        if (membership is not null)
        {
            _memberships.Add((index, membership));
        }

        LastIndex = index;
        NextOffset = header.NextOffset;
        EndPosition += header.LengthBytes;
        return new Entry(index, header.Term, header.Kind, chunk.Bytes(index), membership);
    }

    /// <summary>
    /// Chunks grow with what the group holds in memory, so that a busy group has large ones and an idle one small ones, and at most
    /// about half of a group's memory is unused.
    /// </summary>
    private TailChunk ChunkFor(int bytes)
    {
        if (_chunks.Count > 0 && _chunks[^1].Free >= bytes)
        {
            return _chunks[^1];
        }

        int size = (int)Math.Clamp(_memoryBytes, TailPool.ChunkBytesMin, TailPool.ChunkBytesMax);
        TailChunk chunk = new(Math.Max(size, bytes), LastIndex.Next, EndPosition);
        _memoryBytes += chunk.Memory.Length;
        _turns++;
        _chunks.Add(chunk);
        _pool.Rented(this, chunk.Memory.Length);
        return chunk;
    }

    private void Drop(int at, int count)
    {
        for (int i = at; i < at + count; i++)
        {
            _memoryBytes -= _chunks[i].Memory.Length;
            _pool.Freed(_chunks[i].Memory.Length);
        }

        _chunks.RemoveRange(at, count);
    }

    private int ChunkOf(LogIndex index)
    {
        int low = 0;
        int high = _chunks.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (_chunks[middle].First <= index)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }
}
