using System.Text;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using RaftMq.Cli.Brokers;

namespace RaftMq.Cli.Output;

/// <summary>A record as <c>raftmq consume --json</c> prints it. Bytes that are not UTF-8 are told in base64, so that none is lost.</summary>
/// <param name="Key">Null where the record has none, and where it is in <paramref name="KeyBase64"/>.</param>
/// <param name="Value">Null for a tombstone, and where it is in <paramref name="ValueBase64"/>.</param>
/// <param name="KeyBase64">There only where the key is not UTF-8.</param>
/// <param name="ValueBase64">There only where the value is not UTF-8.</param>
internal sealed record RecordLine(
    int Partition,
    long Offset,
    long TimestampMs,
    string? Key,
    string? Value,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? KeyBase64,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ValueBase64)
{
    public static RecordLine Of(ConsumedRecord record)
    {
        (string? key, string? keyBase64) = Told(record.Key);
        (string? value, string? valueBase64) = Told(record.Value);
        return new RecordLine(record.Partition, record.Offset, record.TimestampMs, key, value, keyBase64, valueBase64);
    }

    private static (string? Text, string? Base64) Told(byte[]? bytes) => bytes is null
        ? (null, null)
        : Utf8.IsValid(bytes) ? (Encoding.UTF8.GetString(bytes), null) : (null, Convert.ToBase64String(bytes));
}
