using System.Diagnostics;
using System.Globalization;

namespace RaftMq.Simulation.Tests;

public sealed class SimulatorTests
{
    /// <summary>Set in the second process of <see cref="One_seed_gives_one_trace_in_every_process"/>: where it leaves its hash.</summary>
    private const string HashFile = "RAFTMQ_SIM_HASH_FILE";

    private const ulong Seed = 11;

    private static readonly Lazy<SimulationResult> First = new(() => Run(Seed));

    [Fact]
    public void One_seed_gives_one_trace()
    {
        SimulationResult second = Run(Seed);
        Assert.Equal(First.Value.TraceHash, second.TraceHash);
        Assert.Equal(First.Value.Totals.ToString(), second.Totals.ToString());
    }

    [Fact]
    public void Two_seeds_give_two_traces() => Assert.NotEqual(First.Value.TraceHash, Run(Seed + 1).TraceHash);

    [Fact]
    public void One_seed_gives_one_trace_in_every_process()
    {
        string hash = First.Value.TraceHash.ToString("x16", CultureInfo.InvariantCulture);
        if (Environment.GetEnvironmentVariable(HashFile) is { } path)
        {
            File.WriteAllText(path, hash);
            return;
        }

        string file = Path.GetTempFileName();
        try
        {
            string program = Path.Combine(AppContext.BaseDirectory, typeof(SimulatorTests).Assembly.GetName().Name!);
            ProcessStartInfo start = new(program, ["-method", $"*{nameof(One_seed_gives_one_trace_in_every_process)}"])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            start.Environment[HashFile] = file;
            using Process other = Process.Start(start)!;
            other.StandardOutput.ReadToEnd();
            other.WaitForExit();
            Assert.Equal(hash, File.ReadAllText(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Several seeds together: how often one of them is full changes with every change of what is drawn.</summary>
    [Fact]
    public void A_tiny_journal_is_full_again_and_again_and_neither_loses_anything_nor_stands_still()
    {
        long acks = 0;
        long sendsHeld = 0;
        long appendsHeldOff = 0;
        for (ulong seed = 6; seed <= 11; seed++)
        {
            SimulationResult result = Simulator.Run(new SimulationOptions { Seed = seed, Journal = JournalSize.Tiny });
            Assert.True(result.Violation is null, result.ToString());
            acks += result.Totals.Acks;
            sendsHeld += result.Totals.SendsHeld;
            appendsHeldOff += result.Totals.AppendsHeldOff;
        }

        Assert.True(acks > 1_000, $"{acks} acks");
        Assert.True(sendsHeld > 100, $"{sendsHeld} sends held");
        Assert.True(appendsHeldOff > 100, $"{appendsHeldOff} appends held off");
    }

    private static SimulationResult Run(ulong seed) => Simulator.Run(new SimulationOptions { Seed = seed });
}
