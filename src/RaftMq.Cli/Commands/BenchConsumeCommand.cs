using System.CommandLine;
using RaftMq.Cli.Bench;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq bench consume</c>: reads what an earlier <c>bench produce --topic</c> wrote.</summary>
internal static class BenchConsumeCommand
{
    public static Command Build()
    {
        var topic = new Option<string>("--topic") { Description = "A topic filled by bench produce --topic.", Required = true };
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("consume", "Measure reading a topic from its first record to its end.") { topic, bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var settings = new BenchSettings { Bootstrap = CommonOptions.Endpoints(parsed.GetValue(bootstrap)!), Topic = parsed.GetValue(topic) };
            BenchReport report = await new BenchRun(settings, admin: null).ConsumeAsync(cancellation);
            await report.WriteAsync(parsed.InvocationConfiguration.Output, parsed.GetValue(json));
            return report.Holds ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }
}
