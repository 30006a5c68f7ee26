using System.Globalization;

namespace RaftMq.Kafka.Wire.Generator;

/// <summary>Versions of a message, both ends included.</summary>
internal readonly struct VersionRange(int min, int max)
{
    public int Min { get; } = min;

    public int Max { get; } = max;

    public bool Same(VersionRange other) => Min == other.Min && Max == other.Max;

    public bool IsWithin(VersionRange outer) => Min >= outer.Min && Max <= outer.Max && Min <= Max;

    public bool Contains(int version) => version >= Min && version <= Max;

    /// <summary>The C# condition for this range where <paramref name="outer"/> is already known to hold, or null if there is nothing to ask.</summary>
    public string? ConditionWithin(VersionRange outer)
    {
        string? lower = Min > outer.Min ? $"version >= {Number(Min)}" : null;
        string? upper = Max < outer.Max ? $"version <= {Number(Max)}" : null;
        return lower is null ? upper : upper is null ? lower : $"{lower} && {upper}";
    }

    /// <summary>Reads "3", "3-5" or "3+"; the open end is that of <paramref name="outer"/>.</summary>
    public static bool TryParse(string text, VersionRange outer, out VersionRange range)
    {
        int dash = text.IndexOf('-');
        int max = outer.Max;
        bool parsed;
        int min;
        if (text.EndsWith("+", System.StringComparison.Ordinal))
        {
            parsed = TryNumber(text.Substring(0, text.Length - 1), out min);
        }
        else if (dash > 0)
        {
            parsed = TryNumber(text.Substring(0, dash), out min) & TryNumber(text.Substring(dash + 1), out max);
        }
        else
        {
            parsed = TryNumber(text, out min);
            max = min;
        }

        range = new VersionRange(min, max);
        return parsed && range.IsWithin(outer);
    }

    public static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
