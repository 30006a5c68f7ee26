using System.Globalization;
using System.IO.Compression;
using RaftMq.Fuzz.Bait;
using RaftMq.Fuzz.Formats;

namespace RaftMq.Fuzz.Engine;

/// <summary>The program, inside the context in which the product has probes.</summary>
public static class FuzzRun
{
    private const string Program = "tests/RaftMq.Fuzz/bin/Release/net10.0/RaftMq.Fuzz";
    private const string PackSuffix = ".pack";

    /// <param name="arguments">Of the command line.</param>
    /// <param name="branches">By the number of their counter.</param>
    /// <param name="constants">Numbers in the product's code, by type.</param>
    /// <returns>0 when all held, 1 on a find, 2 on wrong arguments.</returns>
    public static int Run(string[] arguments, string[] branches, string[] constants)
    {
        FuzzOptions options;
        FuzzFormat[] formats;
        try
        {
            options = FuzzOptions.Parse(arguments);
            FuzzFormat[] all = options.Bait ? [new BaitFormat()] : AllFormats.Make();
            formats = options.Formats.Count == 0
                ? all
                : [.. options.Formats.Select(name => Array.Find(all, format => format.Name == name) ?? throw new FormatException(
                    $"There is no format '{name}'. Known: {string.Join(", ", all.Select(format => format.Name))}."))];
        }
        catch (FormatException fault)
        {
            Console.Error.WriteLine(fault.Message);
            return 2;
        }

        if (options.List)
        {
            Array.ForEach(formats, format => Console.WriteLine(format.Name));
            return 0;
        }

        string corpus = options.Corpus ?? Path.Combine(RepositoryRoot(), "tests", "RaftMq.Fuzz", "Corpus");
        int finds = 0;
        Console.WriteLine("format                 inputs   per s  corpus  branches              finds");
        foreach (FuzzFormat format in formats)
        {
            finds += Run(format, options, corpus, branches, constants);
        }

        if (options.Bait)
        {
            Console.WriteLine($"{finds} of {BaitFormat.Mistakes} mistakes on purpose found");
            return finds == BaitFormat.Mistakes ? 0 : 1;
        }

        return finds == 0 ? 0 : 1;
    }

    private static int Run(FuzzFormat format, FuzzOptions options, string corpus, string[] branches, string[] constants)
    {
        ParserBranches parsers = new(format, branches, constants);
        Fuzzer fuzzer = new(format, options.Seed, parsers.Constants);
        using Timer watch = new(_ => EndWhenStuck(fuzzer, format, corpus), state: null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        if (options.Replay is { } file)
        {
            Find? find = fuzzer.RunOne(File.ReadAllBytes(file));
            Console.WriteLine(find is null ? $"{format.Name}: {file} holds" : $"{format.Name}: {find.Signature}\n{find.Report}");
            return find is null ? 0 : 1;
        }

        string folder = Path.Combine(corpus, format.Name);
        List<byte[]> stored = Corpus.Read(folder + PackSuffix);
        if (Directory.Exists(folder))
        {
            stored.AddRange(Directory.EnumerateFiles(folder, "*.bin").Order(StringComparer.Ordinal).Select(File.ReadAllBytes));
        }

        fuzzer.Run(stored, options.Inputs, options.Seconds > 1e6 ? TimeSpan.MaxValue : TimeSpan.FromSeconds(options.Seconds));
        int reached = parsers.Reached(fuzzer.Map);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{format.Name,-20} {fuzzer.Inputs,8} {fuzzer.Inputs / Math.Max(fuzzer.Elapsed.TotalSeconds, 0.001),7:F0} {fuzzer.CorpusCount,7}  {reached,4} of {parsers.Count,4} {100.0 * reached / Math.Max(parsers.Count, 1),6:F1} % {fuzzer.Finds.Count,6}"));
        if (options.Unreached)
        {
            foreach (string branch in parsers.NotReached(fuzzer.Map))
            {
                Console.WriteLine($"    not reached: {branch}");
            }
        }

        if (!options.Bait)
        {
            foreach (Find find in fuzzer.Finds)
            {
                Report(format, find, corpus);
            }

            if (fuzzer.Finds.Count > 0)
            {
                Console.WriteLine($"  the whole run again: {Program} --format {format.Name} --seed {options.Seed} --inputs {fuzzer.Inputs}");
            }
        }

        if (options.Save)
        {
            Directory.CreateDirectory(corpus);
            Corpus.Write(folder + PackSuffix, Distilled(format, fuzzer.CorpusInputs));
        }

        return fuzzer.Finds.Count;
    }

    /// <summary>The short ones first; each that reaches what those before it did not.</summary>
    private static List<byte[]> Distilled(FuzzFormat format, IReadOnlyList<byte[]> inputs)
    {
        Fuzzer again = new(format, seed: 1, []);
        List<byte[]> kept = [];
        HashSet<string> seeds = [.. format.Seeds().Select(Convert.ToHexString)];
        foreach (byte[] seed in format.Seeds())
        {
            again.RunOne(seed);
            again.Map.Take();
        }

        foreach (byte[] input in inputs.OrderBy(input => input.Length))
        {
            if (again.RunOne(input) is null && again.Map.Take() && !seeds.Contains(Convert.ToHexString(input)))
            {
                kept.Add(input);
            }
        }

        return kept;
    }

    private static void Report(FuzzFormat format, Find find, string corpus)
    {
        string path = Path.Combine(corpus, format.Name, find.FileName);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, find.Input);
        Console.WriteLine($"FIND in {format.Name}: {find.Signature}");
        Console.WriteLine($"  replay: {Program} --format {format.Name} --replay {path}");
        Console.WriteLine("  " + find.Report.ReplaceLineEndings("\n  "));
        Console.WriteLine($"  where only this text is left, the input is made again by\nbase64 -d <<'END' | gunzip > tests/RaftMq.Fuzz/Corpus/{format.Name}/{find.FileName}");
        Console.WriteLine($"{Convert.ToBase64String(Zipped(find.Input), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\nEND");
    }

    private static byte[] Zipped(byte[] bytes)
    {
        using MemoryStream zipped = new();
        using (GZipStream zip = new(zipped, CompressionLevel.SmallestSize))
        {
            zip.Write(bytes);
        }

        return zipped.ToArray();
    }

    private static void EndWhenStuck(Fuzzer fuzzer, FuzzFormat format, string corpus)
    {
        if (fuzzer.Stuck is { } input)
        {
            Report(format, new Find("does not end", "the input takes so long that it was given up", input), corpus);
            Environment.Exit(1);
        }
    }

    private static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "RaftMq.sln")))
        {
            folder = Path.GetDirectoryName(folder.TrimEnd(Path.DirectorySeparatorChar));
        }

        return folder ?? Environment.CurrentDirectory;
    }
}
