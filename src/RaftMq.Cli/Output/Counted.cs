using System.Globalization;

namespace RaftMq.Cli.Output;

/// <summary>Numbers of things in sentences.</summary>
internal static class Counted
{
    /// <summary>"1 record", "2 records".</summary>
    public static string Of(long count, string thing) => string.Create(CultureInfo.InvariantCulture, $"{count} {thing}{(count == 1 ? "" : "s")}");

    /// <summary>About so many.</summary>
    public static string Bytes(long bytes) => bytes >= 10L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes >> 30} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB");

    /// <summary>About so long.</summary>
    public static string Time(long seconds) => seconds switch
    {
        < 2 * 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds} s"),
        < 2 * 3_600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60} min"),
        < 2 * 86_400 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3_600} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400} d"),
    };

    /// <summary>"is" or "are".</summary>
    public static string Be(long count) => count == 1 ? "is" : "are";
}
