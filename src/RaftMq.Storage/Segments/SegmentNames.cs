using System.Globalization;
using RaftMq.Raft;

namespace RaftMq.Storage.Segments;

/// <summary>The names of the files in a group's folder.</summary>
internal static class SegmentNames
{
    public const string LogSuffix = ".log";
    public const string IndexSuffix = ".index";

    private const int Digits = 20;

    public static string Log(string folder, LogIndex first) => $"{folder}/{Padded(first)}{LogSuffix}";

    public static string Index(string folder, LogIndex first) => $"{folder}/{Padded(first)}{IndexSuffix}";

    public static string Padded(LogIndex index) => index.Value.ToString("D20", CultureInfo.InvariantCulture);

    /// <summary>Reads the index out of a name of the form prefix, 20 digits, suffix.</summary>
    public static bool TryParse(string name, string prefix, string suffix, out LogIndex index)
    {
        index = default;
        if (name.Length != prefix.Length + Digits + suffix.Length
            || !name.StartsWith(prefix, StringComparison.Ordinal)
            || !name.EndsWith(suffix, StringComparison.Ordinal)
            || !long.TryParse(
                name.AsSpan(prefix.Length, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out long value))
        {
            return false;
        }

        index = new LogIndex(value);
        return true;
    }
}
