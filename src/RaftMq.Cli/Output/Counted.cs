using System.Globalization;

namespace RaftMq.Cli.Output;

/// <summary>Numbers of things in sentences.</summary>
internal static class Counted
{
    /// <summary>"1 record", "2 records".</summary>
    public static string Of(long count, string thing) => string.Create(CultureInfo.InvariantCulture, $"{count} {thing}{(count == 1 ? "" : "s")}");

    /// <summary>"is" or "are".</summary>
    public static string Be(long count) => count == 1 ? "is" : "are";
}
