using System.CommandLine;
using System.Globalization;
using System.Text;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq consume</c>: a line per record on standard output.</summary>
internal static class ConsumeCommand
{
    public static Command Build(StandardStreams streams)
    {
        Argument<string> topic = CommonOptions.Topic();
        var partition = new Option<int?>("--partition") { Description = "One partition; without: all." };
        var from = new Option<string>("--from") { Description = "beginning, end, or an offset.", DefaultValueFactory = _ => "beginning" };
        var exit = new Option<bool>("--exit") { Description = "End where the log ended when this started; without: wait for more." };
        var count = new Option<long?>("--count") { Description = "End after so many records." };
        var keys = new Option<string?>("--key-separator") { Description = "Print keys too, divided from values by this; \\t is a tab." };
        CommonOptions.AtLeast(partition, 0);
        CommonOptions.AtLeast(count, 1);
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("consume", "Print records; no group, no offsets kept. With --json a document per line.")
        {
            topic, partition, from, exit, count, keys, bootstrap, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            string? separator = CommonOptions.Separator(parsed.GetValue(keys));
            long first = Parse(parsed.GetValue(from)!);
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            await using Stream bytes = streams.Output();
            TextWriter text = parsed.InvocationConfiguration.Output;
            var printer = new RecordPrinter(bytes, separator is null ? null : Encoding.UTF8.GetBytes(separator));
            var reader = new RecordsReader(cluster, parsed.GetRequiredValue(topic), parsed.InvocationConfiguration.Error.WriteLineAsync);
            await reader.OpenAsync(parsed.GetValue(partition), first, parsed.GetValue(exit), cancellation);
            await foreach (ConsumedRecord record in reader.ReadAsync(parsed.GetValue(count) ?? long.MaxValue, cancellation))
            {
                await (parsed.GetValue(json) ? Json.WriteLineAsync(text, RecordLine.Of(record)) : printer.WriteAsync(record, cancellation));
            }

            await text.FlushAsync(CancellationToken.None);
            return ExitCodes.Done;
        });
        return command;
    }

    private static long Parse(string from) => from switch
    {
        "beginning" => RecordsReader.Beginning,
        "end" => RecordsReader.End,
        _ => long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            ? offset
            : throw new CommandFailedException(ExitCodes.Usage, $"'{from}' is not beginning, end or an offset."),
    };
}
