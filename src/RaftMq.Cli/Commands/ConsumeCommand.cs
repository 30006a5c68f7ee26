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
    public static Command Build()
    {
        Argument<string> topic = CommonOptions.Topic();
        var partition = new Option<int?>("--partition") { Description = "One partition; without: all." };
        var from = new Option<string>("--from") { Description = "beginning, end, or an offset.", DefaultValueFactory = _ => "beginning" };
        var exit = new Option<bool>("--exit") { Description = "End where the log ended when this started; without: wait for more." };
        var count = new Option<long?>("--count") { Description = "End after so many records." };
        var keys = new Option<string?>("--key-separator") { Description = "Print keys too, divided from values by this; \\t is a tab." };
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("consume", "Print records; no group, no offsets kept. With --json a document per line.")
        {
            topic, partition, from, exit, count, keys, bootstrap, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            TextWriter error = parsed.InvocationConfiguration.Error;
            var reader = new RecordsReader(cluster, parsed.GetRequiredValue(topic), error.WriteLineAsync);
            await reader.OpenAsync(parsed.GetValue(partition), Parse(parsed.GetValue(from)!), parsed.GetValue(exit), cancellation);
            await foreach (ConsumedRecord record in reader.ReadAsync(parsed.GetValue(count) ?? long.MaxValue, cancellation))
            {
                await WriteAsync(output, record, CommonOptions.Unescaped(parsed.GetValue(keys)), parsed.GetValue(json));
            }

            await output.FlushAsync(CancellationToken.None);
            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(TextWriter output, ConsumedRecord record, string? keySeparator, bool json)
    {
        if (json)
        {
            await Json.WriteLineAsync(output, RecordLine.Of(record));
            return;
        }

        string? value = Text(record.Value);
        await output.WriteLineAsync(keySeparator is null ? value : $"{Text(record.Key)}{keySeparator}{value}");
    }

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    private static long Parse(string from) => from switch
    {
        "beginning" => RecordsReader.Beginning,
        "end" => RecordsReader.End,
        _ => long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            ? offset
            : throw new CommandFailedException(ExitCodes.Usage, $"'{from}' is not beginning, end or an offset."),
    };
}
