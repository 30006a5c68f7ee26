using System.Buffers.Binary;
using RaftMq.Raft;

namespace RaftMq.Storage.Journal;

[Flags]
internal enum RowParts : ushort
{
    None = 0,

    /// <summary>The row tells a state that older batches made, not a change.</summary>
    State = 1,
    Entries = 2,
    HardState = 4,
    Vote = 8,
    Commit = 16,
    SegmentsDurable = 32,
    Reset = 64,
    Deleted = 128,

    /// <summary>Something of the group that was durable is lost; not over before <see cref="Healed"/>.</summary>
    Damaged = 256,
    LogBase = 512,

    /// <summary>Where the log ends. In states only.</summary>
    LogEnd = 1024,

    /// <summary>The log ends before this entry, whatever stands in the journal before this row.</summary>
    Cut = 2048,
    Healed = 4096,
}

/// <summary>One row of a batch's table: what a record says, without its entries' bytes, which lie in the body in the order of the rows.</summary>
internal readonly record struct BatchRow
{
    /// <summary>A row that says nothing but a hard state.</summary>
    public const int HardStateRowBytes = FixedBytes + 24;

    private const int FixedBytes = 24;
    private const int DamageBytes = 24;

    /// <summary>No log gets here; below it an index can be counted on from.</summary>
    private static readonly LogIndex IndexMax = new(1L << 62);
    private const uint HeldIsKnown = 1;
    private const uint HardStateLost = 2;
    private const uint StateLost = 4;

    public required GroupId Group { get; init; }

    public RowParts Parts { get; init; }

    public int EntryCount { get; init; }

    public LogIndex FirstIndex { get; init; }

    public LogIndex LastIndex { get; init; }

    public Term LastTerm { get; init; }

    public int EntryBytes { get; init; }

    public HardState HardState { get; init; }

    public LogIndex Commit { get; init; }

    public LogIndex SegmentsDurable { get; init; }

    public LogIndex ResetIndex { get; init; }

    public Term ResetTerm { get; init; }

    public LogIndex LogBase { get; init; }

    public LogIndex EndIndex { get; init; }

    /// <summary>Zero: not known.</summary>
    public Term EndTerm { get; init; }

    public LogIndex CutFrom { get; init; }

    public JournalDamage Damage { get; init; }

    public int Bytes =>
        FixedBytes
        + (Has(RowParts.Entries) ? 24 : 0)
        + (Has(RowParts.HardState) ? 24 : 0)
        + (Has(RowParts.Commit) ? 8 : 0)
        + (Has(RowParts.SegmentsDurable) ? 8 : 0)
        + (Has(RowParts.Reset) ? 16 : 0)
        + (Has(RowParts.LogBase) ? 8 : 0)
        + (Has(RowParts.LogEnd) ? 16 : 0)
        + (Has(RowParts.Cut) ? 8 : 0)
        + (Has(RowParts.Damaged) ? DamageBytes : 0);

    /// <summary>Says nothing, hence is not written: a record that only has a waiter.</summary>
    public bool IsEmpty => Parts == RowParts.None;

    public bool Has(RowParts part) => (Parts & part) != 0;

    /// <summary>The hard state of this row, which has one, and nothing else.</summary>
    public BatchRow OnlyHardState() => new()
    {
        Group = Group,
        Parts = Parts & (RowParts.HardState | RowParts.Vote),
        HardState = HardState,
    };

    public BatchRow WithoutEntries() => this with { Parts = Parts & ~RowParts.Entries, EntryCount = 0, EntryBytes = 0 };

    public BatchRow WithoutHardState() => this with { Parts = Parts & ~(RowParts.HardState | RowParts.Vote) };

    public static BatchRow Of(JournalRecord record)
    {
        RowParts parts = RowParts.None;
        int bytes = 0;
        IReadOnlyList<Entry> entries = record.Entries;
        for (int i = 0; i < entries.Count; i++)
        {
            bytes = checked(bytes + entries[i].Bytes.Length);
        }

        parts |= entries.Count > 0 ? RowParts.Entries : 0;
        parts |= record.HardState is null ? 0 : RowParts.HardState;
        parts |= record.HardState?.Vote is null ? 0 : RowParts.Vote;
        parts |= record.Commit > LogIndex.Zero ? RowParts.Commit : 0;
        parts |= record.SegmentsDurable is null ? 0 : RowParts.SegmentsDurable;
        parts |= record.Reset is null ? 0 : RowParts.Reset;
        parts |= record.LogBase is null ? 0 : RowParts.LogBase;
        parts |= record.Healed ? RowParts.Healed : 0;
        parts |= record.Deleted ? RowParts.Deleted : 0;
        return new BatchRow
        {
            Group = record.Group,
            Parts = parts,
            EntryCount = entries.Count,
            FirstIndex = entries.Count > 0 ? entries[0].Index : default,
            LastIndex = entries.Count > 0 ? entries[^1].Index : default,
            LastTerm = entries.Count > 0 ? entries[^1].Term : default,
            EntryBytes = bytes,
            HardState = record.HardState ?? default,
            Commit = record.Commit,
            SegmentsDurable = record.SegmentsDurable ?? default,
            ResetIndex = record.Reset?.Index ?? default,
            ResetTerm = record.Reset?.Term ?? default,
            LogBase = record.LogBase ?? default,
        };
    }

    /// <summary>Writes the row and moves the span behind it.</summary>
    public void Write(ref Span<byte> at)
    {
        Span<byte> row = at[..Bytes];
        at = at[Bytes..];
        BinaryPrimitives.WriteUInt128LittleEndian(row, Group.Value);
        BinaryPrimitives.WriteUInt16LittleEndian(row[16..], (ushort)Parts);
        BinaryPrimitives.WriteUInt16LittleEndian(row[18..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(row[20..], EntryCount);
        row = row[FixedBytes..];
        if (Has(RowParts.Entries))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, FirstIndex.Value);
            BinaryPrimitives.WriteInt64LittleEndian(row[8..], LastIndex.Value);
            BinaryPrimitives.WriteInt32LittleEndian(row[16..], LastTerm.Value);
            BinaryPrimitives.WriteInt32LittleEndian(row[20..], EntryBytes);
            row = row[24..];
        }

        if (Has(RowParts.HardState))
        {
            BinaryPrimitives.WriteInt32LittleEndian(row, HardState.Term.Value);
            BinaryPrimitives.WriteInt32LittleEndian(row[4..], HardState.Vote?.Node.Value ?? 0);
            BinaryPrimitives.WriteUInt128LittleEndian(row[8..], HardState.Vote?.Store.Value ?? 0);
            row = row[24..];
        }

        if (Has(RowParts.Commit))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, Commit.Value);
            row = row[8..];
        }

        if (Has(RowParts.SegmentsDurable))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, SegmentsDurable.Value);
            row = row[8..];
        }

        if (Has(RowParts.Reset))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, ResetIndex.Value);
            BinaryPrimitives.WriteInt32LittleEndian(row[8..], ResetTerm.Value);
            BinaryPrimitives.WriteUInt32LittleEndian(row[12..], 0);
            row = row[16..];
        }

        if (Has(RowParts.LogBase))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, LogBase.Value);
            row = row[8..];
        }

        if (Has(RowParts.LogEnd))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, EndIndex.Value);
            BinaryPrimitives.WriteInt32LittleEndian(row[8..], EndTerm.Value);
            BinaryPrimitives.WriteUInt32LittleEndian(row[12..], 0);
            row = row[16..];
        }

        if (Has(RowParts.Cut))
        {
            BinaryPrimitives.WriteInt64LittleEndian(row, CutFrom.Value);
            row = row[8..];
        }

        if (Has(RowParts.Damaged))
        {
            Write(row, Damage);
        }
    }

    /// <summary>Reads the row at the start of the span and moves the span behind it. The header's CRC was checked; lengths are checked still.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> at, out BatchRow row)
    {
        row = default;
        if (at.Length < FixedBytes)
        {
            return false;
        }

        row = new BatchRow
        {
            Group = new GroupId(BinaryPrimitives.ReadUInt128LittleEndian(at)),
            Parts = (RowParts)BinaryPrimitives.ReadUInt16LittleEndian(at[16..]),
            EntryCount = BinaryPrimitives.ReadInt32LittleEndian(at[20..]),
        };
        if (at.Length < row.Bytes || row.EntryCount < 0 || (row.EntryCount > 0) != row.Has(RowParts.Entries))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = at[FixedBytes..row.Bytes];
        at = at[row.Bytes..];
        if (row.Has(RowParts.Entries))
        {
            row = row with
            {
                FirstIndex = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)),
                LastIndex = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest[8..])),
                LastTerm = new Term(BinaryPrimitives.ReadInt32LittleEndian(rest[16..])),
                EntryBytes = BinaryPrimitives.ReadInt32LittleEndian(rest[20..]),
            };
            rest = rest[24..];
        }

        if (row.Has(RowParts.HardState))
        {
            ReplicaId? vote = row.Has(RowParts.Vote)
                ? new ReplicaId(
                    new NodeId(BinaryPrimitives.ReadInt32LittleEndian(rest[4..])),
                    new StoreId(BinaryPrimitives.ReadUInt128LittleEndian(rest[8..])))
                : null;
            row = row with { HardState = new HardState(new Term(BinaryPrimitives.ReadInt32LittleEndian(rest)), vote) };
            rest = rest[24..];
        }

        if (row.Has(RowParts.Commit))
        {
            row = row with { Commit = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)) };
            rest = rest[8..];
        }

        if (row.Has(RowParts.SegmentsDurable))
        {
            row = row with { SegmentsDurable = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)) };
            rest = rest[8..];
        }

        if (row.Has(RowParts.Reset))
        {
            row = row with
            {
                ResetIndex = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)),
                ResetTerm = new Term(BinaryPrimitives.ReadInt32LittleEndian(rest[8..])),
            };
            rest = rest[16..];
        }

        if (row.Has(RowParts.LogBase))
        {
            row = row with { LogBase = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)) };
            rest = rest[8..];
        }

        if (row.Has(RowParts.LogEnd))
        {
            row = row with
            {
                EndIndex = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)),
                EndTerm = new Term(BinaryPrimitives.ReadInt32LittleEndian(rest[8..])),
            };
            rest = rest[16..];
        }

        if (row.Has(RowParts.Cut))
        {
            row = row with { CutFrom = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(rest)) };
            rest = rest[8..];
        }

        if (row.Has(RowParts.Damaged))
        {
            row = row with { Damage = ReadDamage(rest) };
        }

        return row.EntryBytes >= 0
            && IsIndex(row.Commit) && IsIndex(row.SegmentsDurable) && IsIndex(row.ResetIndex) && IsIndex(row.LogBase) && IsIndex(row.EndIndex)
            && IsIndex(row.CutFrom)
            && (row.EntryCount == 0 || (IsIndex(row.FirstIndex) && IsIndex(row.LastIndex) && row.LastIndex - row.FirstIndex + 1 == row.EntryCount))

            // The end of a group leaves nothing to be said of it.
            && (!row.Has(RowParts.Deleted) || row.Parts == RowParts.Deleted);
    }

    private static bool IsIndex(LogIndex index) => index >= LogIndex.Zero && index < IndexMax;

    private static void Write(Span<byte> to, in JournalDamage damage)
    {
        uint flags = (damage.Held is null ? 0 : HeldIsKnown) | (damage.HardStateLost ? HardStateLost : 0) | (damage.StateLost ? StateLost : 0);
        BinaryPrimitives.WriteInt64LittleEndian(to, damage.Held?.Index.Value ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], damage.Held?.Term.Value ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], flags);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], damage.KeptBelowFile);
    }

    private static JournalDamage ReadDamage(ReadOnlySpan<byte> from)
    {
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(from[12..]);
        LogPosition? held = (flags & HeldIsKnown) == 0 ? null : new LogPosition(
            new Term(BinaryPrimitives.ReadInt32LittleEndian(from[8..])),
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(from)));
        return new JournalDamage(
            held, (flags & HardStateLost) != 0, (flags & StateLost) != 0, BinaryPrimitives.ReadInt64LittleEndian(from[16..]));
    }
}
