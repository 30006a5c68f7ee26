using System.Diagnostics;
using RaftMq.Fuzz.Mutation;

namespace RaftMq.Fuzz.Engine;

/// <summary>
/// Runs one format: seeds and stored inputs first, all of them, then new ones made of those that reached something new, until inputs or time
/// are used up. The same seed and number of inputs give the same run.
/// </summary>
internal sealed class Fuzzer
{
    /// <summary>One in so many inputs is a seed that was changed without mending its checksums.</summary>
    private const int SealedEvery = 8;

    /// <summary>Of the others, one in so many keeps its checksums as they came out.</summary>
    private const int UnrepairedEvery = 4;

    /// <summary>Beyond its limit an input is given this much to end by itself, so that the find can be made smaller.</summary>
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(10);

    private const int MinimizeTries = 2_000;

    private readonly FuzzFormat _format;
    private readonly FuzzRandom _random;
    private readonly Mutator _mutator;
    private readonly Corpus _corpus = new();
    private readonly List<byte[]> _seeds = [];
    private readonly SortedDictionary<string, Find> _finds = new(StringComparer.Ordinal);
    private long _startedAt;
    private byte[] _current = [];

    public Fuzzer(FuzzFormat format, ulong seed, long[] constants)
    {
        _format = format;
        _random = new FuzzRandom(seed);
        _mutator = new Mutator(format, _random, constants);
    }

    public BranchMap Map { get; } = new();

    public long Inputs { get; private set; }

    public TimeSpan Elapsed { get; private set; }

    public int CorpusCount => _corpus.Count;

    public IReadOnlyList<byte[]> CorpusInputs => _corpus.Inputs;

    public IReadOnlyCollection<Find> Finds => _finds.Values;

    /// <summary>The input under way when it takes longer than it may; read by another thread.</summary>
    public byte[]? Stuck => Volatile.Read(ref _startedAt) is var startedAt and > 0 && Stopwatch.GetElapsedTime(startedAt) > _format.TimeMax + StuckAfter
        ? Volatile.Read(ref _current)
        : null;

    public void Run(IEnumerable<byte[]> stored, long inputsMax, TimeSpan timeMax)
    {
        long from = Stopwatch.GetTimestamp();
        foreach (byte[] seed in _format.Seeds())
        {
            _seeds.Add(seed);
            Take(seed, always: true);
        }

        foreach (byte[] input in stored)
        {
            Take(input);
        }

        while (Inputs < inputsMax && _finds.Count < _format.FindsMax && Stopwatch.GetElapsedTime(from) < timeMax)
        {
            if (_random.OneIn(SealedEvery))
            {
                RunSealed();
            }
            else
            {
                byte[] mutant = _mutator.Mutate(_corpus.Pick(_random), _corpus.Pick(_random));
                if (!_random.OneIn(UnrepairedEvery))
                {
                    _format.Repair(mutant, _random);
                }

                Take(mutant);
            }
        }

        Elapsed = Stopwatch.GetElapsedTime(from);
    }

    /// <summary>Runs one input; null when all holds.</summary>
    public Find? RunOne(byte[] input)
    {
        Inputs++;
        Volatile.Write(ref _current, input);
        Volatile.Write(ref _startedAt, Stopwatch.GetTimestamp());
        try
        {
            BranchMap.Clear();
            _format.BeginMeasure();
            _format.Run(input);
            long allocated = _format.EndMeasure();
            Oracle.Holds(
                Stopwatch.GetElapsedTime(_startedAt) <= _format.TimeMax, $"takes too long: over {_format.TimeMax.TotalMilliseconds} ms");
            return allocated > _format.AllocatedBytesMax(input.Length) ? Allocates(input) : null;
        }
#pragma warning disable CA1031 // Whatever comes out of a parser is what is looked for.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return Find.Of(fault, input);
        }
        finally
        {
            Volatile.Write(ref _startedAt, 0);
        }
    }

    /// <summary>Once more: the first time pays for what is made once per process.</summary>
    private Find? Allocates(byte[] input)
    {
        _format.BeginMeasure();
        _format.Run(input);
        long allocated = _format.EndMeasure();
        long allowed = _format.AllocatedBytesMax(input.Length);
        return allocated <= allowed
            ? null
            : new Find("allocates", $"{allocated} bytes were allocated to read {input.Length}; {allowed} may be", input);
    }

    private void Take(byte[] input, bool always = false)
    {
        Find? find = RunOne(input);
        bool isNew = Map.Take();
        if (find is not null)
        {
            Keep(find);
        }
        else if (isNew || always)
        {
            _corpus.Add(input);
        }
    }

    private void RunSealed()
    {
        byte[] seed = _seeds[_random.Below(_seeds.Count)];
        byte[] mutant = _mutator.Mutate(seed, _format.SealedHasOthers ? _seeds[_random.Below(_seeds.Count)] : seed);
        Take(mutant);
        try
        {
            _format.CheckSealed(seed, mutant);
        }
#pragma warning disable CA1031 // Whatever comes out of a parser is what is looked for.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Keep(Find.Of(fault, mutant) with { Signature = $"sealed: {fault.Message}" });
        }
    }

    private void Keep(Find find)
    {
        if (!_finds.ContainsKey(find.Signature))
        {
            _finds.Add(find.Signature, find.Signature.StartsWith("sealed", StringComparison.Ordinal) ? find : Minimized(find));
        }
    }

    /// <summary>Takes out what is not needed for the same find.</summary>
    private Find Minimized(Find find)
    {
        int tries = MinimizeTries;
        long from = Stopwatch.GetTimestamp();
        for (int size = find.Input.Length / 2; size > 0; size /= 2)
        {
            for (int at = 0; at + size <= find.Input.Length && tries > 0 && Stopwatch.GetElapsedTime(from) < TimeSpan.FromSeconds(2); tries--)
            {
                byte[] less = [.. find.Input.AsSpan(0, at), .. find.Input.AsSpan(at + size)];
                if (RunOne(less) is { } same && same.Signature == find.Signature)
                {
                    find = same;
                }
                else
                {
                    at += size;
                }
            }
        }

        return find;
    }
}
