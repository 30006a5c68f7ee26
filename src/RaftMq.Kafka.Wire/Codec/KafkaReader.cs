using System.Buffers.Binary;
using System.Text;
using RaftMq.Records;

namespace RaftMq.Kafka.Wire;

/// <summary>
/// Reads the protocol's primitives from one frame. The first fault sticks: every later read returns nothing and moves nothing, so the
/// message classes ask once at the end. Lengths and counts are held against the bytes that are left before anything is allocated.
/// </summary>
public ref struct KafkaReader
{
    /// <summary>
    /// Array elements in one message, over all its arrays, unless the caller says otherwise. An element of three bytes becomes an object of
    /// some forty, so without this a frame of 100 MiB could ask for more than a gigabyte.
    /// </summary>
    public const int ElementsMax = 1_000_000;

    private static readonly UTF8Encoding strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlyMemory<byte> memory;
    private readonly ReadOnlySpan<byte> bytes;
    private readonly NameCache? names;
    private int elementsLeft;
    private int at;
    private WireFault fault;
    private string? faultField;
    private int faultAt;

    /// <param name="frame">What follows the length prefix, or a part of it. Records read are slices of it.</param>
    /// <param name="names">Remembers topic and client names between requests of one connection, or null.</param>
    /// <param name="elementsMax">See <see cref="ElementsMax"/>.</param>
    public KafkaReader(ReadOnlyMemory<byte> frame, NameCache? names = null, int elementsMax = ElementsMax)
    {
        elementsLeft = elementsMax;
        memory = frame;
        bytes = frame.Span;
        this.names = names;
    }

    public readonly bool Failed => fault != WireFault.None;

    public readonly WireFault Fault => fault;

    public readonly int Position => at;

    public readonly int Remaining => bytes.Length - at;

    /// <summary>The field at fault and why, for a log or an answer; null while there is none.</summary>
    public readonly string? FaultText => fault switch
    {
        WireFault.None => null,
        WireFault.Short => $"{faultField}: the bytes end at {bytes.Length}, inside this field",
        WireFault.Length => $"{faultField}: a length or count does not fit the bytes left (at byte {faultAt} of {bytes.Length})",
        WireFault.Varint => $"{faultField}: a number is longer than its type (at byte {faultAt})",
        WireFault.Null => $"{faultField}: null, which this version does not have (at byte {faultAt})",
        WireFault.Text => $"{faultField}: not UTF-8 (at byte {faultAt})",
        WireFault.TooMany => $"{faultField}: more array elements in one message than are allowed (at byte {faultAt})",
        WireFault.TagSize => $"{faultField}: the tagged field does not fill its size (at byte {faultAt})",
        _ => $"{faultField}: no such version",
    };

    /// <summary>Marks the message as unreadable. The first fault stays.</summary>
    public void Fail(string field, WireFault why)
    {
        if (fault == WireFault.None)
        {
            fault = why;
            faultField = field;
            faultAt = at;
        }
    }

    public bool ReadBool(string field) => ReadInt8(field) != 0;

    public sbyte ReadInt8(string field) => Take(1, field) is [var value] ? (sbyte)value : (sbyte)0;

    public short ReadInt16(string field) =>
        Take(2, field) is { Length: 2 } taken ? BinaryPrimitives.ReadInt16BigEndian(taken) : (short)0;

    public int ReadInt32(string field) =>
        Take(4, field) is { Length: 4 } taken ? BinaryPrimitives.ReadInt32BigEndian(taken) : 0;

    public long ReadInt64(string field) =>
        Take(8, field) is { Length: 8 } taken ? BinaryPrimitives.ReadInt64BigEndian(taken) : 0;

    public Guid ReadUuid(string field) =>
        Take(16, field) is { Length: 16 } taken ? new Guid(taken, bigEndian: true) : Guid.Empty;

    public KafkaError ReadError(string field) => (KafkaError)ReadInt16(field);

    public ApiKey ReadApiKey(string field) => (ApiKey)ReadInt16(field);

    public string ReadString(bool flexible, string field) => NotNull(ReadNullableString(flexible, field), field) ?? string.Empty;

    public string? ReadNullableString(bool flexible, string field)
    {
        int length = flexible ? ReadCompactLength(field) : ReadInt16(field);
        if (!Fits(length, field))
        {
            return null;
        }

        ReadOnlySpan<byte> text = bytes.Slice(at, length);
        if (names?.TryFind(text, out string? known) == true)
        {
            at += length;
            return known;
        }

        if (!System.Text.Unicode.Utf8.IsValid(text))
        {
            Fail(field, WireFault.Text);
            return null;
        }

        at += length;
        string read = strictUtf8.GetString(text);
        names?.Remember(text, read);
        return read;
    }

    /// <summary>A copy, because it is kept longer than the frame as a rule (group metadata).</summary>
    public byte[] ReadBytes(bool flexible, string field) => NotNull(ReadNullableBytes(flexible, field), field) ?? [];

    /// <inheritdoc cref="ReadBytes"/>
    public byte[]? ReadNullableBytes(bool flexible, string field)
    {
        int length = ReadLength(flexible, field);
        if (!Fits(length, field))
        {
            return null;
        }

        byte[] read = bytes.Slice(at, length).ToArray();
        at += length;
        return read;
    }

    public RecordBytes ReadRecords(bool flexible, string field)
    {
        RecordBytes read = ReadNullableRecords(flexible, field);
        if (read.IsNull)
        {
            Fail(field, WireFault.Null);
        }

        return read;
    }

    /// <summary>A slice of the frame.</summary>
    public RecordBytes ReadNullableRecords(bool flexible, string field)
    {
        int length = ReadLength(flexible, field);
        if (!Fits(length, field))
        {
            return RecordBytes.Null;
        }

        RecordBytes read = new(memory.Slice(at, length));
        at += length;
        return read;
    }

    /// <summary>A count of elements, each of which takes at least so many bytes; 0 after a fault.</summary>
    public int ReadCount(bool flexible, int elementBytesMin, string field)
    {
        int count = ReadNullableCount(flexible, elementBytesMin, field);
        if (count >= 0 || Failed)
        {
            return Math.Max(count, 0);
        }

        Fail(field, WireFault.Null);
        return 0;
    }

    /// <summary>As <see cref="ReadCount"/>; -1 for null, and after a fault.</summary>
    public int ReadNullableCount(bool flexible, int elementBytesMin, string field)
    {
        int count = ReadLength(flexible, field);
        if (Failed || count == -1)
        {
            return -1;
        }

        if (count < 0 || (long)count * elementBytesMin > Remaining)
        {
            Fail(field, WireFault.Length);
            return -1;
        }

        if (count > elementsLeft)
        {
            Fail(field, WireFault.TooMany);
            return -1;
        }

        elementsLeft -= count;
        return count;
    }

    public int ReadTagCount(string field)
    {
        uint count = ReadVarint(field);

        // A tagged field is a tag and a size at least.
        if (count > (uint)Remaining / 2)
        {
            Fail(field, WireFault.Length);
        }

        return Failed ? 0 : (int)count;
    }

    /// <param name="field">The structure whose tagged fields are read.</param>
    /// <param name="end">The position behind this tagged field.</param>
    /// <returns>The tag; -1 after a fault.</returns>
    public int ReadTag(string field, out int end)
    {
        uint tag = ReadVarint(field);
        uint size = ReadVarint(field);
        end = at;
        if (!Failed && size > (uint)Remaining)
        {
            Fail(field, WireFault.Length);
        }

        if (Failed)
        {
            return -1;
        }

        end = at + (int)size;
        return tag > int.MaxValue ? int.MaxValue : (int)tag;
    }

    /// <summary>A known tagged field was read: it must end where it said.</summary>
    public void EndTag(int end, string field)
    {
        if (at != end)
        {
            Fail(field, WireFault.TagSize);
        }
    }

    /// <summary>Steps over an unknown tagged field.</summary>
    public void SkipTag(int end)
    {
        if (!Failed)
        {
            at = end;
        }
    }

    /// <summary>Steps over all tagged fields of a structure that knows none.</summary>
    public void SkipTags(string field)
    {
        for (int left = ReadTagCount(field); left > 0 && !Failed; left--)
        {
            _ = ReadTag(field, out int end);
            SkipTag(end);
        }
    }

    /// <summary>-1 for null; checked by the caller.</summary>
    private int ReadLength(bool flexible, string field) => flexible ? ReadCompactLength(field) : ReadInt32(field);

    /// <summary>Compact lengths are one more than the length, so that 0 can mean null (KIP-482).</summary>
    private int ReadCompactLength(string field)
    {
        uint raw = ReadVarint(field);
        if (raw > int.MaxValue)
        {
            Fail(field, WireFault.Length);
        }

        return Failed ? -1 : (int)raw - 1;
    }

    private uint ReadVarint(string field)
    {
        if (Failed)
        {
            return 0;
        }

        int next = at;
        if (!Varint.TryReadUInt32(bytes, ref next, out uint value))
        {
            Fail(field, next >= bytes.Length ? WireFault.Short : WireFault.Varint);
            return 0;
        }

        at = next;
        return value;
    }

    /// <summary>Whether so many bytes may be taken; false for null, for a fault, and for a length that does not fit, which becomes one.</summary>
    private bool Fits(int length, string field)
    {
        if (Failed || length == -1)
        {
            return false;
        }

        if (length < 0 || length > Remaining)
        {
            Fail(field, WireFault.Length);
            return false;
        }

        return true;
    }

    private ReadOnlySpan<byte> Take(int count, string field)
    {
        if (Failed || Remaining < count)
        {
            Fail(field, WireFault.Short);
            return default;
        }

        ReadOnlySpan<byte> taken = bytes.Slice(at, count);
        at += count;
        return taken;
    }

    private T? NotNull<T>(T? read, string field)
        where T : class
    {
        if (read is null)
        {
            Fail(field, WireFault.Null);
        }

        return read;
    }
}
