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

    /// <summary>Entries of the group were lost to damage, or its files are damaged; it must not start until it is healed.</summary>
    Damaged = 256,
    LogBase = 512,
}

/// <summary>One row of a batch's table: what a record says, without its entries' bytes, which lie in the body in the order of the rows.</summary>
internal readonly record struct BatchRow
{
    /// <summary>A row that says nothing but a hard state.</summary>
    public const int HardStateRowBytes = FixedBytes + 24;

    private const int FixedBytes = 24;

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

    public int Bytes =>
        FixedBytes
        + (Has(RowParts.Entries) ? 24 : 0)
        + (Has(RowParts.HardState) ? 24 : 0)
        + (Has(RowParts.Commit) ? 8 : 0)
        + (Has(RowParts.SegmentsDurable) ? 8 : 0)
        + (Has(RowParts.Reset) ? 16 : 0)
        + (Has(RowParts.LogBase) ? 8 : 0);

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
        parts |= record.Damaged ? RowParts.Damaged : 0;
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
        }

        return row.EntryBytes >= 0 && (row.EntryCount == 0 || row.LastIndex - row.FirstIndex + 1 == row.EntryCount);
    }
}
