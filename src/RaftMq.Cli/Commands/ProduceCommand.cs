using System.CommandLine;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq produce</c>: a record per line of standard input.</summary>
internal static class ProduceCommand
{
    private static readonly TimeSpan TimeLimitMax = TimeSpan.FromDays(1);

    public static Command Build(StandardStreams streams)
    {
        Argument<string> topic = CommonOptions.Topic();
        var partition = new Option<int?>("--partition") { Description = "One partition; without: by key, or in turn." };
        var separator = new Option<string?>("--key-separator") { Description = "What divides key and value of a line, the first one counts; \\t is a tab. Without: no keys." };
        var keysOptional = new Option<bool>("--keys-optional") { Description = "With --key-separator: a line without one is a record without a key." };
        var timeout = new Option<int>("--timeout-seconds")
        {
            Description = "End with 3 when nothing is acknowledged for so long.",
            DefaultValueFactory = _ => 60,
        };
        CommonOptions.AtLeast(partition, 0);
        CommonOptions.Between(timeout, 1, (int)TimeLimitMax.TotalSeconds);
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("produce", "Write each line of standard input as a record, acknowledged by a majority.")
        {
            topic, partition, separator, keysOptional, timeout, bootstrap, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(topic);
            string? divider = CommonOptions.Separator(parsed.GetValue(separator));
            await using KafkaCluster cluster = CommonOptions.Cluster(
                parsed.GetValue(bootstrap)!, BatchSender.Limited(CommonOptions.Connections));
            var writer = new RecordWriter(cluster, name, parsed.InvocationConfiguration.Error.WriteLineAsync)
            {
                TimeLimit = TimeSpan.FromSeconds(parsed.GetValue(timeout)),
            };
            await using Stream input = streams.Input();
            try
            {
                await writer.OpenAsync(cancellation);
                await writer.WriteLinesAsync(input, parsed.GetValue(partition), divider, parsed.GetValue(keysOptional), cancellation);
            }
            catch (OperationCanceledException)
            {
                throw new CommandFailedException(ExitCodes.Interrupted, writer.Told());
            }

            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new { topic = name, acknowledged = writer.RecordsAcknowledged });
            }
            else
            {
                await output.WriteLineAsync($"{Counted.Of(writer.RecordsAcknowledged, "record")} acknowledged");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
