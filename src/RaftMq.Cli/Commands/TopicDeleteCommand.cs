using System.CommandLine;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq topic delete</c>.</summary>
internal static class TopicDeleteCommand
{
    public static Command Build()
    {
        Argument<string> topic = CommonOptions.Topic();
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("delete", "Delete a topic and all its records.") { topic, bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(topic);
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            await new TopicWriter(cluster).DeleteAsync(name, cancellation);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new { topic = name, deleted = true });
            }
            else
            {
                await output.WriteLineAsync($"deleted {name}");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
