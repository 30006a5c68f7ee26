using System.CommandLine;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq produce</c>: a record per line of standard input.</summary>
internal static class ProduceCommand
{
    public static Command Build()
    {
        Argument<string> topic = CommonOptions.Topic();
        var partition = new Option<int?>("--partition") { Description = "One partition; without: by key, or in turn." };
        var separator = new Option<string?>("--key-separator") { Description = "What divides key and value of a line, the first one counts; \\t is a tab. Without: no keys." };
        var keysOptional = new Option<bool>("--keys-optional") { Description = "With --key-separator: a line without one is a record without a key." };
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("produce", "Write each line of standard input as a record, acknowledged by a majority.")
        {
            topic, partition, separator, keysOptional, bootstrap, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(topic);
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            var writer = new RecordWriter(cluster, name);
            await writer.OpenAsync(cancellation);
            long written = await writer.WriteLinesAsync(
                Console.In, parsed.GetValue(partition), CommonOptions.Unescaped(parsed.GetValue(separator)), parsed.GetValue(keysOptional), cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new { topic = name, acknowledged = written });
            }
            else
            {
                await output.WriteLineAsync($"{written} records acknowledged");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
