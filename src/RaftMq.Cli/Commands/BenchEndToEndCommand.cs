using System.CommandLine;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq bench end-to-end</c>.</summary>
internal static class BenchEndToEndCommand
{
    public static Command Build() => BenchLoadCommand.Build(
        "end-to-end", "Measure from the send to the delivery at a consumer.", (run, cancellation) => run.EndToEndAsync(cancellation));
}
