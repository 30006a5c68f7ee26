using Spectre.Console;

namespace RaftMq.Cli.Output;

/// <summary>Tables for people: columns as wide as their text, no colours, no frame, so that they survive a pipe.</summary>
internal static class Tables
{
    private const int WidthMax = 400;

    public static void Write(TextWriter output, IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        foreach (string head in heads)
        {
            table.AddColumn(new TableColumn(new Text(head)).NoWrap().Padding(0, 0, 2, 0));
        }

        foreach (IReadOnlyList<string> row in rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        var settings = new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new WideOutput(output),
        };
        IAnsiConsole console = AnsiConsole.Create(settings);
        console.Write(table);
    }

    private sealed class WideOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer { get; } = writer;

        public bool IsTerminal => false;

        public int Width => WidthMax;

        public int Height => 50;

        public void SetEncoding(System.Text.Encoding encoding)
        {
            // The writer's encoding is its owner's.
        }
    }
}
