export { csvLogger, type CsvLoggerOptions } from './csv-logger.ts';
export { historyFile, type HistoryFile, parseHistory } from './history-file.ts';
export { jsonLines, type JsonLinesOptions, type LogLine } from './json-lines.ts';
