using System.Globalization;
using System.Text;
using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Simulation.Faults;

namespace RaftMq.Simulation.Coverage;

/// <summary>What runs reached, and what there is that they did not reach, in Markdown.</summary>
public static class CoverageTable
{
    /// <summary>All that a run can reach of a kind, reached or not.</summary>
    public static IReadOnlyList<string> Possible(CoverageKind kind) => kind switch
    {
        CoverageKind.Fault => Enum.GetNames<FaultKind>(),
        CoverageKind.CrashPoint => CrashPoint.All,
        CoverageKind.Message => MessageNames.All,
        CoverageKind.Transition => RoleChange.All,
        _ => Enum.GetNames<RareBranch>(),
    };

    /// <summary>What no run reached; rare branches where they were not looked for are left out.</summary>
    public static IReadOnlyList<(CoverageKind Kind, string Name)> Missing(RunCoverage coverage) =>
    [
        .. Kinds(coverage).SelectMany(kind => Possible(kind).Where(name => coverage.Of(kind, name).Times == 0).Select(name => (kind, name))),
    ];

    public static string Markdown(RunCoverage coverage)
    {
        StringBuilder table = new();
        foreach (CoverageKind kind in Kinds(coverage))
        {
            table.Append(CultureInfo.InvariantCulture, $"| {Words(kind)} | times | runs of {coverage.Runs} |\n|---|---|---|\n");
            foreach (string name in Possible(kind))
            {
                RunCoverage.Reach reach = coverage.Of(kind, name);
                table.Append(CultureInfo.InvariantCulture, $"| {name} | {reach.Times} | {reach.Runs} |\n");
            }

            table.Append('\n');
        }

        return table.ToString();
    }

    private static IEnumerable<CoverageKind> Kinds(RunCoverage coverage) => Enum.GetValues<CoverageKind>()
        .Where(kind => kind != CoverageKind.RareBranch || coverage.All.Any(entry => entry.Kind == CoverageKind.RareBranch));

    private static string Words(CoverageKind kind) => kind switch
    {
        CoverageKind.Fault => "fault",
        CoverageKind.CrashPoint => "crash in",
        CoverageKind.Message => "message",
        CoverageKind.Transition => "role",
        _ => "rare branch",
    };
}
