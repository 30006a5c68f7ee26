using System.CommandLine;
using RaftMq.Cli.Brokers;
using RaftMq.Cli.Output;
using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Commands;

/// <summary><c>raftmq topic create</c>.</summary>
internal static class TopicCreateCommand
{
    public static Command Build()
    {
        Argument<string> topic = CommonOptions.Topic();
        var partitions = new Option<int>("--partitions") { Description = "How many partitions; without: the cluster's default.", DefaultValueFactory = _ => -1 };
        var replicas = new Option<short>("--replicas") { Description = "Replicas of each; without: the cluster's default.", DefaultValueFactory = _ => -1 };
        CommonOptions.AtLeast(partitions, 1);
        CommonOptions.AtLeast(replicas, 1);
        var configs = new Option<string[]>("--config") { Description = "A setting, name=value; may be given several times." };
        Option<string> bootstrap = CommonOptions.Bootstrap();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("create", "Create a topic.") { topic, partitions, replicas, configs, bootstrap, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(topic);
            KeyValuePair<string, string>[] settings = [.. (parsed.GetValue(configs) ?? []).Select(Split)];
            await using KafkaCluster cluster = CommonOptions.Cluster(parsed.GetValue(bootstrap)!);
            if (!await new TopicWriter(cluster).CreateAsync(name, parsed.GetValue(partitions), parsed.GetValue(replicas), settings, cancellation))
            {
                throw new CommandFailedException($"There is a topic {name} already.");
            }

            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, new { topic = name, created = true });
            }
            else
            {
                await output.WriteLineAsync($"created {name}");
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static KeyValuePair<string, string> Split(string setting)
    {
        int equals = setting.IndexOf('=');
        return equals > 0
            ? new KeyValuePair<string, string>(setting[..equals], setting[(equals + 1)..])
            : throw new CommandFailedException(ExitCodes.Usage, $"'{setting}' is not name=value.");
    }
}
