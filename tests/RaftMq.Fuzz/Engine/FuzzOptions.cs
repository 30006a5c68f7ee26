using System.Globalization;

namespace RaftMq.Fuzz.Engine;

internal sealed record FuzzOptions
{
    public const string Usage =
        "[--format NAME]... [--seconds N | --inputs N] [--seed S] [--corpus FOLDER] [--replay FILE] [--unreached] [--save] [--bait] [--list] "
        + "[--side-by-side]";

    /// <summary>Empty: all.</summary>
    public IReadOnlyList<string> Formats { get; init; } = [];

    /// <summary>Per format; for new inputs, beyond the stored ones.</summary>
    public double Seconds { get; init; } = double.Parse(
        Environment.GetEnvironmentVariable("RAFTMQ_FUZZ_SECONDS") is { Length: > 0 } seconds ? seconds : "0.5", CultureInfo.InvariantCulture);

    public long Inputs { get; init; } = long.MaxValue;

    public ulong Seed { get; init; } = ulong.Parse(
        Environment.GetEnvironmentVariable("RAFTMQ_FUZZ_SEED") is { Length: > 0 } seed ? seed : "1", CultureInfo.InvariantCulture);

    /// <summary>Null: the one in the repository.</summary>
    public string? Corpus { get; init; }

    /// <summary>Not null: only this input is run.</summary>
    public string? Replay { get; init; }

    /// <summary>Lists the branches that were not reached.</summary>
    public bool Unreached { get; init; }

    /// <summary>Stores the inputs that are needed to reach what was reached.</summary>
    public bool Save { get; init; }

    /// <summary>Runs the parser with mistakes on purpose: ends 0 when all were found.</summary>
    public bool Bait { get; init; }

    public bool List { get; init; }

    public static FuzzOptions Parse(string[] arguments)
    {
        var options = new FuzzOptions();
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() => i + 1 < arguments.Length ? arguments[++i] : throw new FormatException($"{arguments[i]} wants a value.");
            options = arguments[i] switch
            {
                "--format" => options with { Formats = [.. options.Formats, Value()] },
                "--seconds" => options with { Seconds = double.Parse(Value(), CultureInfo.InvariantCulture) },
                "--inputs" => options with { Inputs = long.Parse(Value(), CultureInfo.InvariantCulture), Seconds = double.MaxValue },
                "--seed" => options with { Seed = ulong.Parse(Value(), CultureInfo.InvariantCulture) },
                "--corpus" => options with { Corpus = Value() },
                "--replay" => options with { Replay = Value() },
                "--unreached" => options with { Unreached = true },
                "--save" => options with { Save = true },
                "--bait" => options with { Bait = true },
                "--list" => options with { List = true },
                _ => throw new FormatException($"'{arguments[i]}' is none of {Usage}."),
            };
        }

        return options;
    }
}
