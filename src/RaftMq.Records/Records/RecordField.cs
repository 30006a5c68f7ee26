namespace RaftMq.Records;

/// <summary>Bytes behind a zigzag length, where -1 means null: keys, values and both halves of a header.</summary>
internal static class RecordField
{
    public static bool TryRead(ReadOnlySpan<byte> bytes, scoped ref int at, out bool present, out ReadOnlySpan<byte> field)
    {
        field = default;
        present = false;
        if (!Varint.TryReadInt32(bytes, ref at, out int length) || length < -1 || length > bytes.Length - at)
        {
            return false;
        }

        if (length >= 0)
        {
            present = true;
            field = bytes.Slice(at, length);
            at += length;
        }

        return true;
    }
}
