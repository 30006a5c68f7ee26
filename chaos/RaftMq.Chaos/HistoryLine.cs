using System.Globalization;

namespace RaftMq.Chaos;

/// <summary>What became of one record, as the producer was told.</summary>
/// <param name="Number">Its place in the input; records of a partition must lie in this order.</param>
/// <param name="SentNs">Monotonic clock of the machine.</param>
/// <param name="AnsweredNs">The same; -1 without an acknowledgement.</param>
/// <param name="Hash">SHA-256 of key, a zero byte and value, in hexadecimal.</param>
internal sealed record HistoryLine(int Number, long SentNs, long AnsweredNs, int Partition, long Offset, string Hash)
{
    public bool IsAcknowledged => AnsweredNs >= 0;

    public static HistoryLine Parse(string line)
    {
        string[] parts = line.Split(' ');
        long Number(int index) => long.Parse(parts[index], CultureInfo.InvariantCulture);
        return new HistoryLine((int)Number(0), Number(1), Number(2), (int)Number(3), Number(4), parts[5]);
    }
}
