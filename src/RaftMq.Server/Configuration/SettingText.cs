using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using RaftMq.Raft;

namespace RaftMq.Server.Configuration;

/// <summary>Settings as text, both ways.</summary>
internal static class SettingText
{
    private static readonly (string Suffix, double Milliseconds)[] TimeUnits =
        [("us", 0.001), ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    private static readonly (string Suffix, long Bytes)[] ByteUnits = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30)];

    /// <exception cref="FormatException">Says what is wrong, as the end of a sentence.</exception>
    public static object? Parse(Type type, SettingAttribute setting, string text)
    {
        text = text.Trim();
        object? value = type switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(int) => (int)InRange(Number(text, setting), int.MinValue, int.MaxValue, text),
            _ when type == typeof(long) || type == typeof(long?) => Number(text, setting),
            _ when type == typeof(bool) => ParseBool(text),
            _ when type == typeof(TimeSpan) => ParseTime(text),
            _ when type == typeof(LogLevel) => ParseLevel(text),
            _ when type == typeof(LogFormat) => ParseFormat(text),
            _ when type == typeof(HostPort) => HostPort.Parse(text),
            _ when type == typeof(ImmutableArray<ListenerSetting>) => ParseList(text, ListenerSetting.Parse),
            _ when type == typeof(ImmutableArray<AdvertisedSetting>) => ParseList(text, AdvertisedSetting.Parse),
            _ when type == typeof(ImmutableArray<HostPort>) => ParseList(text, HostPort.Parse),
            _ when type == typeof(ImmutableArray<NodeAddress>) => ParseList(text, NodeAddress.Parse),
            _ => throw new InvariantViolationException($"There is no text form of {type}."),
        };
        CheckRange(value, setting, text);
        return value;
    }

    public static string Format(object? value, SettingAttribute setting) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        TimeSpan time => FormatTime(time),
        LogLevel or LogFormat => value.ToString()!.ToLowerInvariant(),
        int number when setting.Unit == SettingUnit.Bytes => FormatBytes(number),
        long number when setting.Unit == SettingUnit.Bytes => FormatBytes(number),
        ImmutableArray<ListenerSetting> list => string.Join(',', list),
        ImmutableArray<AdvertisedSetting> list => string.Join(',', list),
        ImmutableArray<HostPort> list => string.Join(',', list),
        ImmutableArray<NodeAddress> list => string.Join(',', list),
        _ => value.ToString() ?? "",
    };

    /// <summary>The range as the documentation prints it; empty when anything goes.</summary>
    public static string FormatRange(Type type, SettingAttribute setting)
    {
        string Bound(long bound) => type == typeof(TimeSpan) ? FormatTime(TimeSpan.FromMilliseconds(bound))
            : setting.Unit == SettingUnit.Bytes ? FormatBytes(bound)
            : bound.ToString(CultureInfo.InvariantCulture);
        return (setting.Min, setting.Max) switch
        {
            (long.MinValue, long.MaxValue) => "",
            (var min, long.MaxValue) => $"{Bound(min)} or more",
            (long.MinValue, var max) => $"at most {Bound(max)}",
            var (min, max) => $"{Bound(min)} to {Bound(max)}",
        };
    }

    private static void CheckRange(object? value, SettingAttribute setting, string text)
    {
        double? number = value switch
        {
            int n => n,
            long n => n,
            TimeSpan time => time.TotalMilliseconds,
            _ => null,
        };
        if (number < setting.Min || number > setting.Max)
        {
            throw new FormatException($"'{text}' is out of range ({FormatRange(value!.GetType(), setting)})");
        }
    }

    private static long Number(string text, SettingAttribute setting)
    {
        string digits = text;
        long unit = 1;
        if (setting.Unit == SettingUnit.Bytes)
        {
            foreach ((string suffix, long bytes) in ByteUnits)
            {
                if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                {
                    digits = text[..^suffix.Length].TrimEnd();
                    unit = bytes;
                }
            }
        }

        if (!long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            || Math.Abs((double)number * unit) > long.MaxValue / 2)
        {
            throw new FormatException(
                setting.Unit == SettingUnit.Bytes ? $"'{text}' is not a number of bytes (like 65536 or 64KiB)" : $"'{text}' is not a whole number");
        }

        return number * unit;
    }

    private static long InRange(long number, long min, long max, string text) =>
        number >= min && number <= max ? number : throw new FormatException($"'{text}' is too large");

    private static bool ParseBool(string text) => text.ToLowerInvariant() switch
    {
        "true" => true,
        "false" => false,
        _ => throw new FormatException($"'{text}' is neither true nor false"),
    };

    private static LogLevel ParseLevel(string text) => text.ToLowerInvariant() switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "information" => LogLevel.Information,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => throw new FormatException($"'{text}' is not trace, debug, information, warning or error"),
    };

    private static LogFormat ParseFormat(string text) => text.ToLowerInvariant() switch
    {
        "text" => LogFormat.Text,
        "json" => LogFormat.Json,
        _ => throw new FormatException($"'{text}' is neither text nor json"),
    };

    private static TimeSpan ParseTime(string text)
    {
        int digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.'))
        {
            digits++;
        }

        string suffix = text[digits..].Trim();
        foreach ((string unit, double milliseconds) in TimeUnits)
        {
            if (suffix == unit
                && double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                && number * milliseconds < TimeSpan.MaxValue.TotalMilliseconds / 2)
            {
                return TimeSpan.FromTicks((long)Math.Round(number * milliseconds * TimeSpan.TicksPerMillisecond));
            }
        }

        throw new FormatException($"'{text}' is not a time (a number followed by us, ms, s, m, h or d)");
    }

    private static ImmutableArray<T> ParseList<T>(string text, Func<string, T> parse) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(parse)];

    private static string FormatTime(TimeSpan time)
    {
        for (int i = TimeUnits.Length - 1; i > 0; i--)
        {
            double number = time.TotalMilliseconds / TimeUnits[i].Milliseconds;
            if (number >= 1 && number == Math.Floor(number))
            {
                return number.ToString(CultureInfo.InvariantCulture) + TimeUnits[i].Suffix;
            }
        }

        return time == TimeSpan.Zero ? "0s" : (time.TotalMilliseconds * 1000).ToString(CultureInfo.InvariantCulture) + "us";
    }

    private static string FormatBytes(long bytes)
    {
        for (int i = ByteUnits.Length - 1; i >= 0; i--)
        {
            if (bytes >= ByteUnits[i].Bytes && bytes % ByteUnits[i].Bytes == 0)
            {
                return $"{bytes / ByteUnits[i].Bytes}{ByteUnits[i].Suffix}";
            }
        }

        return bytes.ToString(CultureInfo.InvariantCulture);
    }
}
