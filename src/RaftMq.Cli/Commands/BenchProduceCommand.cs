using System.CommandLine;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq bench produce</c>.</summary>
internal static class BenchProduceCommand
{
    public static Command Build() =>
        BenchLoadCommand.Build("produce", "Measure acknowledged writes.", (run, cancellation) => run.ProduceAsync(cancellation));
}
