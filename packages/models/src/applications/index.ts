export { applications, isApplication, type Application, type ApplicationName, type ApplicationOptions } from './applications.ts';
