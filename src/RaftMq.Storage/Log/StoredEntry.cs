using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Log;

/// <summary>From an entry's stored form to what consensus sees of it.</summary>
public static class StoredEntry
{
    /// <summary>For bytes that were checked when they came in. The entry lies over the same memory.</summary>
    /// <exception cref="DamagedException">The payload of a membership entry is not a membership.</exception>
    public static Entry ToEntry(ReadOnlyMemory<byte> bytes)
    {
        return TryToEntry(bytes, out Entry entry)
            ? entry
            : throw new DamagedException($"entry {EntryLayout.ReadUnchecked(bytes.Span).Index} is no membership that this version reads");
    }

    /// <summary>As <see cref="ToEntry"/>; false where that throws.</summary>
    public static bool TryToEntry(ReadOnlyMemory<byte> bytes, out Entry entry)
    {
        EntryHeader header = EntryLayout.ReadUnchecked(bytes.Span);
        Membership? membership = null;
        bool isWhole = header.Kind != EntryKind.Membership || MembershipCodec.TryRead(bytes.Span[EntryLayout.HeaderBytes..], out membership);
        entry = isWhole ? new Entry(header.Index, header.Term, header.Kind, bytes, membership) : default;
        return isWhole;
    }

    /// <summary>
    /// Reads an entry from bytes that may be anything: header, guarded payload, and for a record batch the batch's own CRC. False
    /// means "not a whole, undamaged entry".
    /// </summary>
    public static bool TryReadWhole(ReadOnlySpan<byte> bytes, out EntryHeader header) =>
        EntryLayout.TryRead(bytes, out header)
        && header.GuardedBytes == EntryKinds.GuardedBytes(header.Kind, header.LengthBytes - EntryLayout.HeaderBytes)
        && (header.Kind != EntryKinds.Data || StoredBatch.IsWhole(bytes[EntryLayout.HeaderBytes..header.LengthBytes]));
}
