using System.CommandLine;
using System.Globalization;
using RaftMq.Cli.Admin;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.Commands;

/// <summary>
/// <c>raftmq cluster balance</c>: ends when the cluster has written the wish down; <c>cluster status</c> shows what is left. With <c>--plan</c> nothing is done.
/// </summary>
internal static class ClusterBalanceCommand
{
    public static Command Build()
    {
        var plan = new Option<bool>("--plan") { Description = "Show what would be moved and copied, and do nothing." };
        var cancel = new Option<bool>("--cancel") { Description = "Begin no more movements; those under way end." };
        Option<string> admin = CommonOptions.Admin();
        Option<bool> json = CommonOptions.JsonOutput();
        var command = new Command("balance", "Make replicas and leaders even over nodes and racks.") { plan, cancel, admin, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            (bool onlyPlan, bool stops) = (parsed.GetValue(plan), parsed.GetValue(cancel));
            if (onlyPlan && stops)
            {
                throw new CommandFailedException(ExitCodes.Usage, "--plan shows what would be done, --cancel stops it: one of them.");
            }

            using AdminClient client = CommonOptions.AdminOf(parsed.GetValue(admin)!);
            BalanceReport report = await ReportAsync(client, cancellation);
            if (stops)
            {
                await client.ChangeAsync(HttpMethod.Delete, "/v1/balance", "the balance goes on", cancellation);
            }
            else if (!onlyPlan)
            {
                await client.ChangeAsync(HttpMethod.Post, "/v1/balance", "placement is not balanced", cancellation);
            }

            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await Json.WriteAsync(output, report);
            }
            else if (stops)
            {
                await output.WriteLineAsync("the balance begins no more movements; those under way end");
            }
            else if (onlyPlan)
            {
                await WriteAsync(output, report);
            }
            else
            {
                await output.WriteLineAsync(report.Moves.Count == 0
                    ? BalanceReport.Even
                    : $"placement is being balanced: {report.Summary}; `raftmq cluster status` shows what is left");
            }

            return ExitCodes.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(TextWriter output, BalanceReport report)
    {
        if (report.Moves.Count == 0)
        {
            await output.WriteLineAsync(BalanceReport.Even);
        }
        else
        {
            Tables.Write(
                output, ["PARTITION", "REPLICAS", "THEN", "COPIES TO", "BYTES"],
                report.Moves.Select(move => (IReadOnlyList<string>)
                [
                    string.Create(CultureInfo.InvariantCulture, $"{move.Topic}/{move.Partition}"), string.Join(',', move.From), string.Join(',', move.To),
                    string.Join(',', move.Copies), move.Bytes is { } bytes ? Counted.Bytes(bytes) : "",
                ]));
            await output.WriteLineAsync(report.Summary);
        }

        foreach (string obstacle in report.Obstacles)
        {
            await output.WriteLineAsync($"it {(report.UnderWay ? "waits" : "would be refused now")}: {obstacle}");
        }
    }

    private static async Task<BalanceReport> ReportAsync(AdminClient client, CancellationToken cancellation)
    {
        BalanceAnswer balance = await client.BalanceAsync(cancellation);
        ClusterReport nodes = balance.Moves.Count == 0
            ? new ClusterReport([], new Dictionary<int, string>())
            : await client.AskAllAsync(await client.ClusterAsync(cancellation), cancellation);
        return BalanceReport.Of(balance, nodes.Statuses);
    }
}
