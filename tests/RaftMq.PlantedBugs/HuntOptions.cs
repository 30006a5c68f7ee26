using System.Globalization;

namespace RaftMq.PlantedBugs;

internal sealed record HuntOptions
{
    /// <summary>Empty: all.</summary>
    public IReadOnlyList<string> Bugs { get; init; } = [];

    public int Sets { get; init; } = 20;

    /// <summary>A set that has not found it by then has not found it.</summary>
    public int SeedsMax { get; init; } = 300;

    public TimeSpan VirtualDuration { get; init; } = TimeSpan.FromSeconds(60);

    public ulong FirstSeed { get; init; } = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 100_000;

    /// <summary>Not null: the table is written there, in Markdown.</summary>
    public string? Table { get; init; }

    /// <summary>Also run the seeds of all sets without any bug, as many as the worst of them took.</summary>
    public bool WithControl { get; init; }

    /// <summary>Not null: of the bugs that are always found fast, as many as can be begun within this time, another choice each day.</summary>
    public TimeSpan? Daily { get; init; }

    public static HuntOptions Parse(string[] arguments)
    {
        var options = new HuntOptions();
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() => i + 1 < arguments.Length ? arguments[++i] : throw new FormatException($"{arguments[i]} wants a value.");
            options = arguments[i] switch
            {
                "--bug" => options with { Bugs = [.. options.Bugs, Value()] },
                "--sets" => options with { Sets = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--seeds-max" => options with { SeedsMax = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--seconds" => options with { VirtualDuration = TimeSpan.FromSeconds(int.Parse(Value(), CultureInfo.InvariantCulture)) },
                "--first-seed" => options with { FirstSeed = ulong.Parse(Value(), CultureInfo.InvariantCulture) },
                "--table" => options with { Table = Value() },
                "--daily" => options with { Daily = TimeSpan.FromSeconds(int.Parse(Value(), CultureInfo.InvariantCulture)), Sets = 1, SeedsMax = 40 },
                "--control" => options with { WithControl = true },
                _ => throw new FormatException(
                    $"'{arguments[i]}' is not --bug NAME, --sets N, --seeds-max N, --seconds N, --first-seed N, --table FILE, --daily SECONDS or --control."),
            };
        }

        return options;
    }
}
